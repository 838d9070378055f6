// pointwise: functions of one or two operands, with broadcasting.
#include "base/pointwise.h"

#include "backend/kernel_base.h"
#include "base/joined_dims.h"
#include "onednn/kernels.h"
#include "onednn/parallel.h"
#include "onednn/simd/loops.h"

namespace eraserelu::cpu {

template <typename T>
std::unique_ptr<Kernel> pointwise(const OpDesc& desc) {
  const TensorDesc a = desc.read("a"), b = desc.read("b"), y = desc.write("y");
  const PointwiseFn fn = pointwise_fn_named(desc.attributes.text("fn"));
  const float alpha = static_cast<float>(desc.attributes.number("alpha"));
  const float beta = static_cast<float>(desc.attributes.number("beta"));
  const JoinedDims joined(y.shape, a.shape, b.present ? b.shape : a.shape);
  const Shape shape = joined.shape, stridesA = joined.strides(0), stridesB = joined.strides(1);
  const std::int64_t run = shape.back(), outer = y.elements() / run;
  Requirements needs;
  if (a.shape == y.shape) needs.inPlace.push_back({0, 0});
  if (b.present && b.shape == y.shape) needs.inPlace.push_back({1, 0});

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    const T* firstOperand = at.read<T>("a");
    const T* secondOperand = b.present ? at.read<T>("b") : firstOperand;
    T* out = at.write<T>("y");
    const auto stretch = [=](std::int64_t o, std::int64_t begin, std::int64_t end) {
      loops<T>().pointwise(fn, firstOperand + outer_offset(o, shape, stridesA) + begin * stridesA.back(), stridesA.back(),
                        secondOperand + outer_offset(o, shape, stridesB) + begin * stridesB.back(), stridesB.back(), alpha, beta,
                        out + o * run + begin, end - begin);
    };
    if (outer == 1)
      return [=](std::int64_t, std::int64_t) {
        parallel_ranges(run, 1, [&](std::int64_t begin, std::int64_t end) { stretch(0, begin, end); });
      };
    return [=](std::int64_t, std::int64_t) {
      parallel_ranges(outer, run, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t o = begin; o < end; ++o) stretch(o, 0, run);
      });
    };
  });
}

ERASERELU_TYPED_KERNEL(pointwise)

}  // namespace eraserelu::cpu
