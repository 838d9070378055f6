// Pooling over windows and over whole images.
#include "cuda/kernels/pooling.h"

#include "backend/kernel_base.h"
#include "cuda/kernels.h"

namespace eraserelu::cuda {

namespace {

Windows windows_of(const OpDesc& desc, const TensorDesc& x, const TensorDesc& y) {
  const auto number = [](std::int64_t value) { return static_cast<int>(value); };
  const Shape kernel = desc.attributes.integers("kernel"), stride = desc.attributes.integers("stride"),
              pad = desc.attributes.integers("pad");
  Windows w{};
  w.height = number(x.dim(1)), w.width = number(x.dim(2));
  w.outHeight = number(y.dim(1)), w.outWidth = number(y.dim(2));
  w.kernelHeight = number(kernel[0]), w.kernelWidth = number(kernel[1]);
  w.strideHeight = number(stride[0]), w.strideWidth = number(stride[1]);
  w.top = number(pad[0]), w.left = number(pad[2]);
  w.countIncludePad = desc.attributes.has("countIncludePad") && desc.attributes.flag("countIncludePad");
  w.channels = number(x.dim(3));
  return w;
}

}  // namespace

std::unique_ptr<Kernel> max_pool(const OpDesc& desc, Device& device) {
  const DType dtype = desc.read("x").dtype;
  const Windows windows = windows_of(desc, desc.read("x"), desc.write("y"));
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    std::uint8_t* argmax = at.write<std::uint8_t>("argmax");
    return [=, x = at.read<void>("x"), y = at.write<void>("y")](std::int64_t first, std::int64_t count) {
      return max_pool(dtype, windows, x, y, argmax, first, count, stream);
    };
  });
}

std::unique_ptr<Kernel> max_pool_bwd(const OpDesc& desc, Device& device) {
  const DType dtype = desc.read("dy").dtype;
  const Windows windows = windows_of(desc, desc.write("dx"), desc.read("dy"));
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    const std::uint8_t* argmax = at.read<std::uint8_t>("argmax");
    return [=, dy = at.read<void>("dy"), dx = at.write<void>("dx")](std::int64_t first, std::int64_t count) {
      return max_pool_bwd(dtype, windows, dy, argmax, dx, first, count, stream);
    };
  });
}

std::unique_ptr<Kernel> avg_pool(const OpDesc& desc, Device& device) {
  const DType dtype = desc.read("x").dtype;
  const Windows windows = windows_of(desc, desc.read("x"), desc.write("y"));
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    return [=, x = at.read<void>("x"), y = at.write<void>("y")](std::int64_t first, std::int64_t count) {
      return avg_pool(dtype, windows, x, y, first, count, stream);
    };
  });
}

std::unique_ptr<Kernel> avg_pool_bwd(const OpDesc& desc, Device& device) {
  const DType dtype = desc.read("dy").dtype;
  const Windows windows = windows_of(desc, desc.write("dx"), desc.read("dy"));
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    return [=, dy = at.read<void>("dy"), dx = at.write<void>("dx")](std::int64_t first, std::int64_t count) {
      return avg_pool_bwd(dtype, windows, dy, dx, first, count, stream);
    };
  });
}

std::unique_ptr<Kernel> global_avg_pool(const OpDesc& desc, Device& device) {
  const TensorDesc x = desc.read("x");
  const std::int64_t pixels = x.dim(1) * x.dim(2);
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    return [=, from = at.read<void>("x"), y = at.write<void>("y")](std::int64_t first, std::int64_t count) {
      return global_avg_pool(x.dtype, from, y, pixels, x.dim(3), first, count, stream);
    };
  });
}

std::unique_ptr<Kernel> global_avg_pool_bwd(const OpDesc& desc, Device& device) {
  const TensorDesc dx = desc.write("dx");
  const std::int64_t pixels = dx.dim(1) * dx.dim(2);
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    return [=, dy = at.read<void>("dy"), to = at.write<void>("dx")](std::int64_t first, std::int64_t count) {
      return global_avg_pool_bwd(dx.dtype, dy, to, pixels, dx.dim(3), first, count, stream);
    };
  });
}

}  // namespace eraserelu::cuda
