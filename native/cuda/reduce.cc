// reduce: sum, mean or max over axes.
#include "cuda/kernels/reduce.h"

#include "backend/kernel_base.h"
#include "base/error.h"
#include "base/joined_dims.h"
#include "cuda/kernels.h"

namespace eraserelu::cuda {

std::unique_ptr<Kernel> reduce(const OpDesc& desc, Device& device) {
  const TensorDesc x = desc.read("x"), y = desc.write("y");
  if (x.dtype != y.dtype) fail(ErrorCode::Unsupported, desc.to_string(), ": y must have the type of x");
  const JoinedDims joined(x.shape, y.shape, y.shape);
  if (joined.shape.size() > Dims::maxRank)
    fail(ErrorCode::Unsupported, desc.to_string(), ": kept and reduced dimensions alternate more than ", Dims::maxRank, " times");
  const std::string& fn = desc.attributes.text("fn");
  Reduction reduction;
  reduction.maximum = fn == "max";
  reduction.divisor = fn == "mean" ? static_cast<double>(x.elements() / y.elements()) : 1.0;
  reduction.lastStays = joined.kept[0].back();
  std::int64_t inner = x.elements();
  for (std::size_t i = 0; i < joined.shape.size(); ++i) {
    inner /= joined.shape[i];
    Dims& dims = joined.kept[0][i] ? reduction.kept : reduction.reduced;
    dims.shape[dims.rank] = joined.shape[i];
    dims.strides[dims.rank++] = inner;
  }
  Requirements needs;
  needs.scratchpad = reduce_scratch(reduction);

  return own_kernel(desc, needs, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    return [=, from = at.read<void>("x"), to = at.write<void>("y"), scratch = at.scratchpad()](std::int64_t, std::int64_t) {
      return reduce(x.dtype, reduction, from, to, scratch, stream);
    };
  });
}

}  // namespace eraserelu::cuda
