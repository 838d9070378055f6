// pointwise: functions of one or two operands, with broadcasting; and scaleSamples, a product with one factor an image.
#include "cuda/kernels/pointwise.h"

#include "backend/kernel_base.h"
#include "base/error.h"
#include "base/joined_dims.h"
#include "cuda/kernels.h"

namespace eraserelu::cuda {

namespace {

Broadcast broadcast_of(const OpDesc& desc, const JoinedDims& joined) {
  if (joined.shape.size() > Broadcast::maxRank)
    fail(ErrorCode::Unsupported, desc.to_string(), ": its operands stretch in more than ", Broadcast::maxRank, " ways");
  Broadcast dims;
  dims.rank = static_cast<int>(joined.shape.size());
  const Shape strideA = joined.strides(0), strideB = joined.strides(1);
  for (std::size_t i = 0; i < joined.shape.size(); ++i) {
    dims.shape[i] = joined.shape[i];
    dims.strideA[i] = strideA[i];
    dims.strideB[i] = strideB[i];
  }
  return dims;
}

}  // namespace

std::unique_ptr<Kernel> pointwise(const OpDesc& desc, Device& device) {
  const TensorDesc a = desc.read("a"), b = desc.read("b"), y = desc.write("y");
  if (a.dtype != y.dtype || (b.present && b.dtype != y.dtype))
    fail(ErrorCode::Unsupported, desc.to_string(), ": all operands must have one type");
  const PointwiseFn fn = pointwise_fn_named(desc.attributes.text("fn"));
  const auto alpha = static_cast<float>(desc.attributes.number("alpha"));
  const auto beta = static_cast<float>(desc.attributes.number("beta"));
  const Broadcast dims = broadcast_of(desc, JoinedDims(y.shape, a.shape, b.present ? b.shape : a.shape));
  Requirements needs;
  if (a.shape == y.shape) needs.inPlace.push_back({0, 0});
  if (b.present && b.shape == y.shape) needs.inPlace.push_back({1, 0});

  return own_kernel(desc, needs, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    const PointwiseOperands operands{fn, alpha, beta, at.read<void>("a"), at.read<void>("b"), at.write<void>("y")};
    return [=](std::int64_t, std::int64_t) { return pointwise(y.dtype, y.dtype, operands, dims, stream); };
  });
}

std::unique_ptr<Kernel> scale_samples(const OpDesc& desc, Device& device) {
  const TensorDesc x = desc.read("x"), scale = desc.read("scale");
  if (scale.dtype != x.dtype && scale.dtype != DType::f32)
    fail(ErrorCode::Unsupported, desc.to_string(), ": scale must be f32 or have the type of x");
  const std::int64_t image = x.elements() / x.dim(0);
  const std::int64_t imageBytes = image * static_cast<std::int64_t>(bytes_of(x.dtype));
  const std::int64_t scaleBytes = static_cast<std::int64_t>(bytes_of(scale.dtype));
  Requirements needs;
  needs.inPlace = {{0, 0}};

  return own_kernel(desc, needs, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    const char* from = at.read<char>("x");
    const char* factors = at.read<char>("scale");
    char* to = at.write<char>("y");
    return [=](std::int64_t first, std::int64_t count) {
      const PointwiseOperands operands{PointwiseFn::mul, 0, 0, from + first * imageBytes, factors + first * scaleBytes,
                                       to + first * imageBytes};
      Broadcast dims;
      dims.rank = 2;
      dims.shape[0] = count, dims.shape[1] = image;
      dims.strideA[0] = image, dims.strideA[1] = 1;
      dims.strideB[0] = 1, dims.strideB[1] = 0;
      return pointwise(x.dtype, scale.dtype, operands, dims, stream);
    };
  });
}

}  // namespace eraserelu::cuda
