// reduce: sum, mean or max over axes.
#include <algorithm>
#include <cmath>

#include "backend/kernel_base.h"
#include "base/joined_dims.h"
#include "onednn/kernels.h"
#include "onednn/parallel.h"

namespace eraserelu::cpu {

namespace {

double with(bool max, double total, double x) {
  if (max) return x > total || x != x ? x : total;
  return total + x;
}

}  // namespace

/// Every output is computed by one thread, in the order of memory, in double. A first dimension that stays splits x and y
/// into parts that are independent and lie one after another in both.
template <typename T>
std::unique_ptr<Kernel> reduce(const OpDesc& desc) {
  const TensorDesc x = desc.read("x"), y = desc.write("y");
  const bool max = desc.attributes.text("fn") == "max", mean = desc.attributes.text("fn") == "mean";
  const JoinedDims joined(x.shape, y.shape, y.shape);
  const Shape shape = joined.shape, strides = joined.strides(0);
  const bool lastStays = joined.kept[0].back();
  const std::int64_t run = shape.back(), parts = shape.size() > 1 && joined.kept[0].front() ? shape.front() : 1;
  const std::int64_t outerOfPart = x.elements() / run / parts, outputsOfPart = y.elements() / parts;
  const double divisor = mean ? static_cast<double>(x.elements() / y.elements()) : 1.0;
  Requirements needs;
  needs.scratchpad = static_cast<std::size_t>(y.elements()) * sizeof(double);

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    const T* from = at.read<T>("x");
    T* to = at.write<T>("y");
    double* totals = reinterpret_cast<double*>(at.scratchpad());
    return [=](std::int64_t, std::int64_t) {
      parallel_ranges(parts, outerOfPart * run, [&](std::int64_t begin, std::int64_t end) {
        std::fill(totals + begin * outputsOfPart, totals + end * outputsOfPart, max ? -INFINITY : 0.0);
        for (std::int64_t o = begin * outerOfPart; o < end * outerOfPart; ++o) {
          const T* row = from + o * run;
          double* total = totals + outer_offset(o, shape, strides);
          for (std::int64_t j = 0; j < run; ++j) {
            double& target = total[lastStays ? j : 0];
            target = with(max, target, row[j]);
          }
        }
        for (std::int64_t i = begin * outputsOfPart; i < end * outputsOfPart; ++i)
          to[i] = static_cast<float>(totals[i] / divisor);
      });
    };
  });
}

ERASERELU_TYPED_KERNEL(reduce)

}  // namespace eraserelu::cpu
