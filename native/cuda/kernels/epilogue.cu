// A thread keeps a pack of channels, with their bias, over some rows.
#include "cuda/kernels/epilogue.h"

#include "cuda/kernels/rows.h"

namespace eraserelu::cuda {
namespace {

constexpr int epilogueRows = 4;   // a thread

template <typename T, int width>
__global__ void __launch_bounds__(blockSize) epilogue_kernel(T* y, const float* bias, const T* __restrict__ residual, Activation activation,
                                                             std::int64_t rows, std::int64_t channels) {
  const int c = first_channel<width>();
  if (c >= channels) return;
  float added[width];
  for (int i = 0; i < width; ++i) added[i] = bias ? bias[c + i] : 0.0f;
  for (int k = 0; k < epilogueRows; ++k) {
    const std::int64_t row = row_number<epilogueRows>(k);
    if (row >= rows) return;
    const std::int64_t at = row * channels + c;
    auto pack = Pack<T, width>::load(y + at);
    Pack<T, width> other{};
    if (residual) other = Pack<T, width>::load(residual + at);
    for (int i = 0; i < width; ++i) {
      const float sum = to_float(pack.values[i]) + added[i] + to_float(other.values[i]);
      pack.values[i] = from_float<T>(activate(activation, sum));
    }
    pack.store(y + at);
  }
}

}  // namespace

cudaError_t epilogue(DType dtype, void* y, const float* bias, const void* residual, Activation activation, std::int64_t n,
                     std::int64_t channels, cudaStream_t stream) {
  return with_packs(
      dtype, channels,
      [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        const std::int64_t rows = n / channels;
        const Rectangles rectangles(channels, width);
        return launch(epilogue_kernel<T, decltype(width)::value>, rectangles.grid(rows, epilogueRows), rectangles.block, 0, stream,
                      static_cast<T*>(y), bias, static_cast<const T*>(residual), activation, rows, channels);
      },
      y, residual);
}

}  // namespace eraserelu::cuda
