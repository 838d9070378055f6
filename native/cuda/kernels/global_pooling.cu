// Global average pooling: a block sums an image, for the gradient a thread writes one pack.
#include "cuda/kernel.h"
#include "cuda/kernels/pooling.h"
#include "cuda/kernels/rows.h"

namespace eraserelu::cuda {
namespace {

template <typename T, int width>
__global__ void __launch_bounds__(blockSize)
    global_avg_pool_kernel(const T* x, T* y, std::int64_t pixels, std::int64_t channels, std::int64_t first) {
  SHARED_ARRAY(float, parts, mergeSize<width>);
  const std::int64_t image = first + blockIdx.x;
  const int c = first_channel<width>();
  float sums[width];
  sum_rows<T, width>(x + image * pixels * channels, pixels, channels, sums, parts);
  if (threadIdx.y > 0 || c >= channels) return;
  Pack<T, width> mean;
  for (int i = 0; i < width; ++i) mean.values[i] = from_float<T>(sums[i] / static_cast<float>(pixels));
  mean.store(y + image * channels + c);
}

/// `rows` pixels from pixel number `first` of the batch.
template <typename T, int width>
__global__ void __launch_bounds__(blockSize)
    global_avg_pool_bwd_kernel(const T* dy, T* dx, std::int64_t pixels, std::int64_t channels, std::int64_t first,
                               std::int64_t rows) {
  const int c = first_channel<width>();
  const std::int64_t row = row_number<1>(0);
  if (c >= channels || row >= rows) return;
  const auto gradient = Pack<T, width>::load(dy + (first + row) / pixels * channels + c);
  Pack<T, width> share;
  for (int i = 0; i < width; ++i) share.values[i] = from_float<T>(to_float(gradient.values[i]) / static_cast<float>(pixels));
  share.store(dx + (first + row) * channels + c);
}

}  // namespace

cudaError_t global_avg_pool(DType dtype, const void* x, void* y, std::int64_t pixels, std::int64_t channels, std::int64_t first,
                            std::int64_t count, cudaStream_t stream) {
  return with_packs(
      dtype, channels,
      [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        const Rectangles rectangles(channels, width);
        return launch(global_avg_pool_kernel<T, decltype(width)::value>, dim3(static_cast<unsigned>(count), rectangles.groups),
                      rectangles.block, 0, stream, static_cast<const T*>(x), static_cast<T*>(y), pixels, channels, first);
      },
      x, y);
}

cudaError_t global_avg_pool_bwd(DType dtype, const void* dy, void* dx, std::int64_t pixels, std::int64_t channels,
                                std::int64_t first, std::int64_t count, cudaStream_t stream) {
  return with_packs(
      dtype, channels,
      [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        const Rectangles rectangles(channels, width);
        return launch(global_avg_pool_bwd_kernel<T, decltype(width)::value>, rectangles.grid(count * pixels, 1), rectangles.block,
                      0, stream, static_cast<const T*>(dy), static_cast<T*>(dx), pixels, channels, first * pixels,
                      count * pixels);
      },
      dy, dx);
}

}  // namespace eraserelu::cuda
