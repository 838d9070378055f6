// Statistics: a thread sums a few rows around the first of them, the threads of a block merge in a tree by Chan's formula, and
// one more launch combines the pieces in double. Application: a thread keeps the parameters of its channels over several rows.
#include "cuda/kernels/batch_norm_forward.h"

#include "base/activation.h"
#include "base/optimizer_formulas.h"
#include "cuda/kernel.h"
#include "cuda/kernels/channel_packs.h"
#include "cuda/kernels/flat.h"

namespace eraserelu::cuda {
namespace {

/// Rows whose deviations from the first one a thread adds up. The sum of squares is at most this many times that around the mean,
/// so taking the mean out of it costs at most 2 bits, whatever the numbers are.
constexpr int runLength = 4;

constexpr int applyRows = 4;   // a thread

/// Of some values: how many, their mean (center + offset: precise where the mean is far from zero), and their squared deviations.
struct Moments {
  float count;
  float center;
  float offset;
  float squares;
};

__device__ __forceinline__ Moments merged(const Moments& a, const Moments& b) {
  if (b.count == 0) return a;
  if (a.count == 0) return b;
  const float count = a.count + b.count, weight = b.count / count;
  const float delta = (b.center - a.center) + (b.offset - a.offset);
  return {count, a.center, a.offset + delta * weight, a.squares + b.squares + delta * delta * a.count * weight};
}

/// Of the first `count` values of one lane.
template <typename T, int width>
__device__ __forceinline__ Moments moments_of(const Pack<T, width> (&run)[runLength], int count, int lane) {
  const float center = to_float(run[0].values[lane]);
  float sum = 0, squares = 0;
  for (int i = 1; i < runLength; ++i) {
    if (i >= count) continue;
    const float d = to_float(run[i].values[lane]) - center;
    sum += d;
    squares = fmaf(d, d, squares);
  }
  const float offset = sum / static_cast<float>(count), rest = squares - sum * offset;
  return {static_cast<float>(count), center, offset, rest < 0 ? 0 : rest};
}

template <typename T, int width>
__global__ void __launch_bounds__(blockSize)
    bn_stats_pieces_kernel(const T* x, std::int64_t pitch, Pieces pieces, std::int64_t first, float* partial) {
  SHARED_ARRAY(Moments, parts, mergeSize<width>);
  const std::int64_t piece = first + blockIdx.x, rows = pieces.rows_of(piece);
  const int c = first_channel<width>();
  const bool real = c < pieces.channels;
  Moments own[width] = {};
  const T* const from = x + pieces.first_row(piece) * pitch + c;
  if (real)
    for (std::int64_t row = threadIdx.y; row < rows; row += runLength * blockDim.y) {
      Pack<T, width> run[runLength];
      int count = 0;
      for (int i = 0; i < runLength; ++i) {
        const std::int64_t next = row + i * blockDim.y;
        if (next >= rows) continue;
        run[i] = Pack<T, width>::load(from + next * pitch);
        ++count;
      }
      for (int i = 0; i < width; ++i) own[i] = merged(own[i], moments_of(run, count, i));
    }
  merge_rows(own, parts, [](const Moments& a, const Moments& b) { return merged(a, b); });
  if (threadIdx.y > 0 || !real) return;
  float* const to = partial + piece * bnMoments * pieces.channels + c;
  for (int i = 0; i < width; ++i) {
    to[i] = own[i].center;
    to[pieces.channels + i] = own[i].offset;
    to[2 * pieces.channels + i] = own[i].squares;
  }
}

__global__ void __launch_bounds__(blockSize)
    bn_stats_combine_kernel(const float* partial, Pieces pieces, double epsilon, BnStatistics statistics) {
  SHARED_ARRAY(double, parts, mergeSize<1>);
  SHARED_ARRAY(double, means, blockSize);
  const auto add = [](double a, double b) { return a + b; };
  const int c = first_channel<1>();
  const std::int64_t count = c < pieces.channels ? pieces.batch * pieces.perImage : 0, channels = pieces.channels;
  const double values = static_cast<double>(pieces.batch * pieces.rows);
  const auto mean_of = [&](std::int64_t piece) {
    const float* const from = partial + piece * bnMoments * channels + c;
    return static_cast<double>(from[0]) + static_cast<double>(from[channels]);
  };

  double sum[1] = {0};
  for (std::int64_t piece = threadIdx.y; piece < count; piece += blockDim.y)
    sum[0] += static_cast<double>(pieces.rows_of(piece)) * mean_of(piece);
  merge_rows(sum, parts, add);
  if (threadIdx.y == 0) means[threadIdx.x] = sum[0] / values;
  __syncthreads();
  const double mean = means[threadIdx.x];

  double squares[1] = {0};
  for (std::int64_t piece = threadIdx.y; piece < count; piece += blockDim.y) {
    const double d = mean_of(piece) - mean;
    squares[0] +=
        static_cast<double>(partial[(piece * bnMoments + 2) * channels + c]) + static_cast<double>(pieces.rows_of(piece)) * d * d;
  }
  merge_rows(squares, parts, add);
  if (threadIdx.y > 0 || c >= channels) return;
  const double variance = squares[0] / values;
  statistics.mean[c] = static_cast<float>(mean);
  statistics.variance[c] = static_cast<float>(variance);
  statistics.invstd[c] = static_cast<float>(1.0 / sqrt(variance + epsilon));
}

__global__ void __launch_bounds__(blockSize) variance_kernel(const float* invstd, double epsilon, float* variance, std::int64_t channels) {
  const std::int64_t c = thread_number();
  if (c >= channels) return;
  const double square = 1.0 / (static_cast<double>(invstd[c]) * invstd[c]) - epsilon;
  variance[c] = static_cast<float>(square < 0 ? 0 : square);   // a NaN stays one
}

template <typename Own>
__global__ void __launch_bounds__(blockSize)
    bn_apply_kernel(BnApply a, std::int64_t channels, std::int64_t first, std::int64_t rows) {
  using T = typename Own::T;
  constexpr int width = Own::width;
  const int c = first_channel<width>();
  if (c >= channels) return;
  const int own = Own::count(channels, c);
  BnChannel channel[width];
  for (int i = 0; i < width; ++i) channel[i] = i < own ? bn_channel(a.parameters, c + i) : BnChannel{};
  for (int k = 0; k < applyRows; ++k) {
    const std::int64_t row = row_number<applyRows>(k);
    if (row >= rows) return;
    const std::int64_t at = (first + row) * channels + c;
    const auto x = Own::load(a.x, (first + row) * a.pitch + c, own);
    Pack<T, width> residual{};
    if (a.residual) residual = Own::load(a.residual, at, own);
    Pack<T, width> y;
    unsigned active = 0;
    for (int i = 0; i < width; ++i) {
      float value = bn_value(channel[i], to_float(x.values[i]) - channel[i].mean);
      if (a.residual) value += to_float(residual.values[i]);
      active |= (value > 0 ? 1U : 0U) << i;
      y.values[i] = from_float<T>(a.relu ? relu(value) : value);
    }
    Own::store(y, a.y, at, own);
    if constexpr (Own::masked) a.mask[Own::mask_at(first + row, channels, c)] = static_cast<std::uint8_t>(active);
  }
}

/// A row of blocks a layer.
__global__ void __launch_bounds__(blockSize)
    bn_running_update_kernel(const float* __restrict__ statistics, const float* __restrict__ state, float* __restrict__ running,
                             const RunningRange* __restrict__ ranges) {
  const RunningRange range = ranges[blockIdx.y];
  const std::int64_t c = thread_number();
  if (c >= range.channels || state[kStateFinite] == 0) return;
  const float* batch = statistics + range.statistics + c;
  float *mean = running + range.mean + c, *variance = running + range.variance + c;
  *mean = static_cast<float>(moving_average<double>(*mean, batch[0], range.momentum));
  *variance = static_cast<float>(
      moving_average<double>(*variance, unbiased_variance(batch[range.channels], range.count), range.momentum));
}

}  // namespace

cudaError_t bn_stats_pieces(DType dtype, const void* x, std::int64_t pitch, const Pieces& pieces, std::int64_t first,
                            std::int64_t count, float* partial, cudaStream_t stream) {
  return with_packs(
      dtype, pieces.channels | pitch,
      [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        const Rectangles rectangles(pieces.channels, width);
        return launch(bn_stats_pieces_kernel<T, decltype(width)::value>, dim3(static_cast<unsigned>(count), rectangles.groups),
                      rectangles.block, 0, stream, static_cast<const T*>(x), pitch, pieces, first, partial);
      },
      x);
}

cudaError_t bn_stats_combine(const float* partial, const Pieces& pieces, double epsilon, BnStatistics statistics,
                             cudaStream_t stream) {
  return launch(bn_stats_combine_kernel, combining_grid(pieces.channels), combining_block(), 0, stream, partial, pieces, epsilon,
                statistics);
}

cudaError_t bn_variance(const float* invstd, double epsilon, float* variance, std::int64_t channels, cudaStream_t stream) {
  return launch(variance_kernel, grid_for(channels), dim3(blockSize), 0, stream, invstd, epsilon, variance, channels);
}

cudaError_t bn_apply(DType dtype, const BnApply& apply, std::int64_t channels, std::int64_t first, std::int64_t rows,
                     cudaStream_t stream) {
  return with_channels(
      dtype, channels | apply.pitch, apply.mask,
      [&](auto own) {
        using Own = decltype(own);
        const Rectangles rectangles(channels, Own::width);
        return launch(bn_apply_kernel<Own>, rectangles.grid(rows, applyRows), rectangles.block, 0, stream, apply, channels, first,
                      rows);
      },
      apply.x, apply.residual, apply.y);
}

cudaError_t bn_running_update(const float* statistics, const float* state, float* running, const RunningRange* ranges,
                              unsigned layers, std::int64_t widest, cudaStream_t stream) {
  if (widest == 0) return cudaSuccess;
  return launch(bn_running_update_kernel, dim3(grid_for(widest).x, layers), dim3(blockSize), 0, stream, statistics, state, running,
                ranges);
}

}  // namespace eraserelu::cuda
