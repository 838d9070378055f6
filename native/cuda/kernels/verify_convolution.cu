// A block computes one sample; its threads share the products.
#include "cuda/kernels/verify_convolution.h"

#include <cmath>

#include "base/philox.h"
#include "base/window.h"
#include "cuda/kernel.h"
#include "cuda/kernels/block_reduce.h"
#include "cuda/kernels/element.h"
#include "cuda/kernels/flat.h"

namespace eraserelu::cuda {
namespace {

template <typename T>
__global__ void __launch_bounds__(blockSize) random_kernel(std::uint64_t seed, T* values, std::int64_t n, float steps) {
  const std::int64_t i = thread_number();
  if (i >= n) return;
  float value = 2 * philox_uniform(seed, 0, 0, static_cast<std::uint64_t>(i)) - 1;
  if (steps > 0) value = (floorf(value * steps) + 0.5f) / steps;
  values[i] = from_float<T>(value);
}

template <typename T>
__global__ void __launch_bounds__(blockSize) vary_kernel(T* x, std::int64_t n, std::int64_t channels, float offset, float factor) {
  const std::int64_t i = thread_number();
  if (i >= n) return;
  const std::int64_t kind = i % channels % 4;
  if (kind == 1) x[i] = from_float<T>(to_float(x[i]) + offset);
  if (kind == 3) x[i] = from_float<T>(to_float(x[i]) * factor);
}

template <typename T>
struct Tensors {
  const T *x, *w, *y;
};

/// A thread's share of the products.
struct Sum {
  double value = 0;
  double squares = 0;

  template <typename T>
  __device__ __forceinline__ void add(T a, T b) {
    const double product = static_cast<double>(to_float(a)) * static_cast<double>(to_float(b));
    value += product;
    squares += product * product;
  }
};

/// The row (or column) of x that window i reads with this tap; negative in the padding.
__device__ __forceinline__ std::int64_t row_read(std::int64_t i, std::int64_t tap, std::int64_t stride, std::int64_t dilation,
                                                 std::int64_t pad, std::int64_t rows) {
  const std::int64_t row = i * stride + tap * dilation - pad;
  return row < rows ? row : -1;
}

template <typename T>
__device__ __forceinline__ Sum sum_of_y(const ConvolutionSizes& s, const Tensors<T>& t, std::int64_t sample) {
  const std::int64_t groupChannels = s.channels / s.groups, groupFilters = s.filters / s.groups;
  const std::int64_t k = sample % s.filters, firstChannel = k / groupFilters * groupChannels;
  const std::int64_t j = sample / s.filters % s.outWidth, i = sample / s.filters / s.outWidth % s.outHeight;
  const std::int64_t n = sample / s.filters / s.outWidth / s.outHeight;
  Sum sum;
  for (std::int64_t term = threadIdx.x; term < s.kernelHeight * s.kernelWidth * groupChannels; term += blockSize) {
    const std::int64_t c = term % groupChannels, tap = term / groupChannels;
    const std::int64_t h = row_read(i, tap / s.kernelWidth, s.strideHeight, s.dilationHeight, s.padTop, s.height);
    const std::int64_t w = row_read(j, tap % s.kernelWidth, s.strideWidth, s.dilationWidth, s.padLeft, s.width);
    if (h < 0 || w < 0) continue;
    sum.add(t.x[((n * s.height + h) * s.width + w) * s.channels + firstChannel + c],
            t.w[(k * s.kernelHeight * s.kernelWidth + tap) * groupChannels + c]);
  }
  return sum;
}

template <typename T>
__device__ __forceinline__ Sum sum_of_x(const ConvolutionSizes& s, const Tensors<T>& t, std::int64_t sample) {
  const std::int64_t groupChannels = s.channels / s.groups, groupFilters = s.filters / s.groups;
  const std::int64_t c = sample % s.channels, firstFilter = c / groupChannels * groupFilters;
  const std::int64_t w = sample / s.channels % s.width, h = sample / s.channels / s.width % s.height;
  const std::int64_t n = sample / s.channels / s.width / s.height;
  Sum sum;
  for (std::int64_t term = threadIdx.x; term < s.kernelHeight * s.kernelWidth * groupFilters; term += blockSize) {
    const std::int64_t k = firstFilter + term % groupFilters, tap = term / groupFilters;
    const std::int64_t i = window_reading(h + s.padTop, tap / s.kernelWidth * s.dilationHeight, s.strideHeight, s.outHeight);
    const std::int64_t j = window_reading(w + s.padLeft, tap % s.kernelWidth * s.dilationWidth, s.strideWidth, s.outWidth);
    if (i < 0 || j < 0) continue;
    sum.add(t.y[((n * s.outHeight + i) * s.outWidth + j) * s.filters + k],
            t.w[(k * s.kernelHeight * s.kernelWidth + tap) * groupChannels + c % groupChannels]);
  }
  return sum;
}

template <typename T>
__device__ __forceinline__ Sum sum_of_w(const ConvolutionSizes& s, const Tensors<T>& t, std::int64_t sample) {
  const std::int64_t groupChannels = s.channels / s.groups, groupFilters = s.filters / s.groups;
  const std::int64_t tap = sample / groupChannels % (s.kernelHeight * s.kernelWidth);
  const std::int64_t k = sample / groupChannels / (s.kernelHeight * s.kernelWidth);
  const std::int64_t c = k / groupFilters * groupChannels + sample % groupChannels;
  Sum sum;
  for (std::int64_t term = threadIdx.x; term < s.images * s.outHeight * s.outWidth; term += blockSize) {
    const std::int64_t j = term % s.outWidth, i = term / s.outWidth % s.outHeight, n = term / s.outWidth / s.outHeight;
    const std::int64_t h = row_read(i, tap / s.kernelWidth, s.strideHeight, s.dilationHeight, s.padTop, s.height);
    const std::int64_t w = row_read(j, tap % s.kernelWidth, s.strideWidth, s.dilationWidth, s.padLeft, s.width);
    if (h < 0 || w < 0) continue;
    sum.add(t.y[term * s.filters + k], t.x[((n * s.height + h) * s.width + w) * s.channels + c]);
  }
  return sum;
}

template <ConvolutionResult result, typename T>
__global__ void __launch_bounds__(blockSize) verify_kernel(ConvolutionSizes sizes, ConvolutionCheck check) {
  SHARED_ARRAY(double, warps, blockSize / 32);
  const Tensors<T> tensors{static_cast<const T*>(check.x), static_cast<const T*>(check.w), static_cast<const T*>(check.y)};
  const std::int64_t sample = check.samples[blockIdx.x];
  Sum sum;
  if constexpr (result == ConvolutionResult::y) sum = sum_of_y(sizes, tensors, sample);
  if constexpr (result == ConvolutionResult::x) sum = sum_of_x(sizes, tensors, sample);
  if constexpr (result == ConvolutionResult::w) sum = sum_of_w(sizes, tensors, sample);
  double expected = block_reduce<blockSize, double>(sum.value, warps, Plus());
  double squares = block_reduce<blockSize, double>(sum.squares, warps, Plus());
  if (threadIdx.x != 0) return;

  const auto include = [&](double value) {
    expected += value;
    squares += value * value;
  };
  if (check.bias) include(check.bias[sample % sizes.filters]);
  if (check.addend) include(to_float(static_cast<const T*>(check.addend)[sample]));
  expected = activate(check.activation, expected);
  const T* actual = result == ConvolutionResult::y ? tensors.y : result == ConvolutionResult::x ? tensors.x : tensors.w;
  const double distance = std::fabs(static_cast<double>(to_float(actual[sample])) - expected);
  const double size = Larger()(std::fabs(expected), std::sqrt(squares));
  check.errors[blockIdx.x] = size > 0 ? distance / size : distance;
}

template <typename T>
auto kernel_for(ConvolutionResult result) {
  switch (result) {
    case ConvolutionResult::y: return verify_kernel<ConvolutionResult::y, T>;
    case ConvolutionResult::x: return verify_kernel<ConvolutionResult::x, T>;
    default: return verify_kernel<ConvolutionResult::w, T>;
  }
}

}  // namespace

cudaError_t random_values(DType dtype, std::uint64_t seed, void* values, std::int64_t n, cudaStream_t stream, float steps) {
  return with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    return launch(random_kernel<T>, grid_for(n), dim3(blockSize), 0, stream, seed, static_cast<T*>(values), n, steps);
  });
}

cudaError_t vary_channels(DType dtype, void* x, std::int64_t n, std::int64_t channels, float offset, float factor, cudaStream_t stream) {
  return with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    return launch(vary_kernel<T>, grid_for(n), dim3(blockSize), 0, stream, static_cast<T*>(x), n, channels, offset, factor);
  });
}

cudaError_t verify_convolution(ConvolutionResult result, DType dtype, const ConvolutionSizes& sizes,
                               const ConvolutionCheck& check, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(check.count));
  return with_type(dtype, [&](auto type) {
    return launch(kernel_for<typename decltype(type)::type>(result), grid, dim3(blockSize), 0, stream, sizes, check);
  });
}

}  // namespace eraserelu::cuda
