// The parameter-free shortcut and its gradient.
#include "cuda/kernels/shortcut.h"

#include "backend/kernel_base.h"
#include "cuda/kernels.h"

namespace eraserelu::cuda {

namespace {

Shortcut shortcut_of(const OpDesc& desc, const TensorDesc& x, const TensorDesc& y) {
  const auto number = [](std::int64_t value) { return static_cast<int>(value); };
  const Shape stride = desc.attributes.integers("stride");
  return {number(x.dim(1)),  number(x.dim(2)),  number(y.dim(1)), number(y.dim(2)),
          number(stride[0]), number(stride[1]), number(x.dim(3)), number(y.dim(3))};
}

}  // namespace

std::unique_ptr<Kernel> shortcut_a(const OpDesc& desc, Device& device) {
  const DType dtype = desc.read("x").dtype;
  const Shortcut shortcut = shortcut_of(desc, desc.read("x"), desc.write("y"));
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    return [=, x = at.read<void>("x"), y = at.write<void>("y")](std::int64_t first, std::int64_t count) {
      return shortcut_a(dtype, shortcut, x, y, first, count, stream);
    };
  });
}

std::unique_ptr<Kernel> shortcut_a_bwd(const OpDesc& desc, Device& device) {
  const DType dtype = desc.read("dy").dtype;
  const Shortcut shortcut = shortcut_of(desc, desc.write("dx"), desc.read("dy"));
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    return [=, dy = at.read<void>("dy"), dx = at.write<void>("dx")](std::int64_t first, std::int64_t count) {
      return shortcut_a_bwd(dtype, shortcut, dy, dx, first, count, stream);
    };
  });
}

}  // namespace eraserelu::cuda
