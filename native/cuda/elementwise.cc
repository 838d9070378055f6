// Operations that treat every element alone and have operands of one shape.
#include "cuda/kernels/elementwise.h"

#include "backend/kernel_base.h"
#include "cuda/kernels.h"

namespace eraserelu::cuda {

namespace {

Requirements in_place(std::vector<std::pair<int, int>> pairs) {
  Requirements needs;
  needs.inPlace = std::move(pairs);
  return needs;
}

/// A launch that calls body(byte offset, elements) for a stretch of images of a tensor.
template <typename Body>
DeviceLaunch over_images(const TensorDesc& tensor, Body body) {
  const std::int64_t image = tensor.elements() / tensor.dim(0), size = static_cast<std::int64_t>(bytes_of(tensor.dtype));
  return [=](std::int64_t first, std::int64_t count) { return body(first * image * size, count * image); };
}

}  // namespace

std::unique_ptr<Kernel> relu(const OpDesc& desc, Device& device) {
  const TensorDesc x = desc.read("x");
  return own_kernel(desc, in_place({{0, 0}}), [=, stream = device.stream](const Operands& at) {
    return over_images(x, [=, from = at.read<char>("x"), to = at.write<char>("y")](std::int64_t offset, std::int64_t n) {
      return relu(x.dtype, from + offset, to + offset, n, stream);
    });
  });
}

std::unique_ptr<Kernel> relu_bwd(const OpDesc& desc, Device& device) {
  const TensorDesc dy = desc.read("dy");
  return own_kernel(desc, in_place({{0, 0}, {1, 0}}), [=, stream = device.stream](const Operands& at) {
    const char *gradient = at.read<char>("dy"), *y = at.read<char>("y");
    return over_images(dy, [=, dx = at.write<char>("dx")](std::int64_t offset, std::int64_t n) {
      return relu_bwd(dy.dtype, gradient + offset, y + offset, dx + offset, n, stream);
    });
  });
}

std::unique_ptr<Kernel> add(const OpDesc& desc, Device& device) {
  const TensorDesc y = desc.write("y");
  return own_kernel(desc, in_place({{0, 0}, {1, 0}}), [=, stream = device.stream](const Operands& at) {
    const char *a = at.read<char>("a"), *b = at.read<char>("b");
    return over_images(y, [=, to = at.write<char>("y")](std::int64_t offset, std::int64_t n) {
      return add(y.dtype, a + offset, b + offset, to + offset, n, stream);
    });
  });
}

std::unique_ptr<Kernel> cast(const OpDesc& desc, Device& device) {
  const TensorDesc x = desc.read("x");
  return own_kernel(desc, {}, [=, to = desc.write("y").dtype, stream = device.stream](const Operands& at) -> DeviceLaunch {
    return [=, from = at.read<void>("x"), y = at.write<void>("y")](std::int64_t, std::int64_t) {
      return cast(x.dtype, from, to, y, x.elements(), stream);
    };
  });
}

std::unique_ptr<Kernel> fill(const OpDesc& desc, Device& device) {
  const TensorDesc y = desc.write("y");
  const auto value = static_cast<float>(desc.attributes.number("value"));
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    return [=, to = at.write<void>("y")](std::int64_t, std::int64_t) { return fill(y.dtype, value, to, y.elements(), stream); };
  });
}

/// Adds up the microbatches of one step.
std::unique_ptr<Kernel> sum(const OpDesc& desc, Device& device) {
  const TensorDesc x = desc.read("x");
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    const StepParams* step = at.step();
    return [=, from = at.read<void>("x"), total = at.write("total")](std::int64_t, std::int64_t) {
      return sum(x.dtype, step, from, total, x.elements(), stream);
    };
  });
}

}  // namespace eraserelu::cuda
