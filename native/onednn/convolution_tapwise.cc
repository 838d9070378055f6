// conv2dBwdFilter where oneDNN has but a general product: it unfolds every window, those outside the image too, into matrices of many times
// the filter's size.
#include "backend/kernel_base.h"
#include "onednn/kernels.h"
#include "onednn/own_convolution_kernels.h"
#include "onednn/tapwise_filter_gradient.h"

namespace eraserelu::cpu {

namespace {

/// More than one tap, with stride 1, on channels that fill whole vectors.
bool applies(const OpDesc& desc, const TapwiseShape& shape) {
  const Attributes& attributes = desc.attributes;
  const Shape one = {1, 1};
  return attributes.integers("stride") == one && attributes.integers("dilation") == one && attributes.integer("groups") == 1 &&
         shape.height * shape.width > 1 && shape.x.lanes() == shape.x.channels;
}

}  // namespace

std::unique_ptr<Kernel> tapwise_filter_gradient(const OpDesc& desc, const std::string& libraryEngine) {
  if (!desc.is("conv2dBwdFilter") || libraryEngine.find("gemm") == std::string::npos) return nullptr;
  const TensorDesc& dw = desc.write("dw");
  const Shape pad = desc.attributes.integers("pad");
  const TapwiseShape shape = {plane_of(desc.read("x")), plane_of(desc.read("dy")), dw.dim(1), dw.dim(2), pad[0], pad[2]};
  if (!applies(desc, shape)) return nullptr;

  const TapwiseFilterSums unbound(shape);
  Requirements needs;
  needs.scratchpad = unbound.scratch_bytes();
  needs.engine = engine_name("tapwise");
  return std::make_unique<LoopKernel>(desc, needs, [=](const Operands& at) -> Launch {
    TapwiseFilterSums sums = unbound;
    sums.bind(at.scratchpad(), at.write("dw"));
    const float* x = at.read("x");
    const float* dy = at.read("dy");
    return [=](std::int64_t first, std::int64_t count) {
      sums.add(x + first * shape.x.image(), dy + first * shape.y.image(), count, first == 0);
    };
  });
}

}  // namespace eraserelu::cpu
