// A block sums one piece; then a few columns of partial sums in double.
#include "cuda/kernels/channel_sums.h"

#include "cuda/kernel.h"
#include "cuda/kernels/rows.h"

namespace eraserelu::cuda {
namespace {

template <typename T, int width>
__global__ void __launch_bounds__(blockSize) channel_sums_kernel(const T* x, Pieces pieces, std::int64_t first, float* partial) {
  SHARED_ARRAY(float, parts, mergeSize<width>);
  const std::int64_t piece = first + blockIdx.x;
  const int c = first_channel<width>();
  float sums[width];
  sum_rows<T, width>(x + pieces.first_row(piece) * pieces.channels, pieces.rows_of(piece), pieces.channels, sums, parts);
  if (threadIdx.y == 0 && c < pieces.channels)
    for (int i = 0; i < width; ++i) partial[piece * pieces.channels + c + i] = sums[i];
}

__global__ void __launch_bounds__(blockSize)
    sum_pieces_kernel(const float* partial, std::int64_t pieces, std::int64_t channels, float* totals, float* secondTotals) {
  SHARED_ARRAY(double, parts, mergeSize<1>);
  const std::int64_t columns = secondTotals ? 2 * channels : channels;
  const int column = first_channel<1>();
  double sum[1] = {0};
  if (column < columns)
    for (std::int64_t piece = threadIdx.y; piece < pieces; piece += blockDim.y)
      sum[0] += static_cast<double>(partial[piece * columns + column]);
  merge_rows(sum, parts, [](double a, double b) { return a + b; });
  if (threadIdx.y > 0 || column >= columns) return;
  (column < channels ? totals[column] : secondTotals[column - channels]) = static_cast<float>(sum[0]);
}

}  // namespace

cudaError_t channel_sums(DType dtype, const void* x, const Pieces& pieces, std::int64_t first, std::int64_t count, float* partial,
                         cudaStream_t stream) {
  return with_packs(
      dtype, pieces.channels,
      [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        const Rectangles rectangles(pieces.channels, width);
        return launch(channel_sums_kernel<T, decltype(width)::value>, dim3(static_cast<unsigned>(count), rectangles.groups),
                      rectangles.block, 0, stream, static_cast<const T*>(x), pieces, first, partial);
      },
      x);
}

cudaError_t sum_pieces(const float* partial, const Pieces& pieces, float* totals, float* secondTotals, cudaStream_t stream) {
  const std::int64_t columns = secondTotals ? 2 * pieces.channels : pieces.channels;
  return launch(sum_pieces_kernel, combining_grid(columns), combining_block(), 0, stream, partial, pieces.count(),
                pieces.channels, totals, secondTotals);
}

}  // namespace eraserelu::cuda
