// A thread keeps the parameters of its channels over several rows; a block reduces one piece, its threads merging in a tree.
#include "cuda/kernels/batch_norm_backward.h"

#include "cuda/kernel.h"
#include "cuda/kernels/channel_packs.h"

namespace eraserelu::cuda {
namespace {

constexpr int applyRows = 4;   // a thread

/// What is known of a pack.
template <int width>
struct Gradients {
  float g[width];
  float centred[width];   // x - mean
};

/// Of `own` channels from c on of a row.
template <typename Own>
__device__ __forceinline__ Gradients<Own::width> gradients_at(const BnBackward& a, const BnChannel (&channel)[Own::width],
                                                              std::int64_t row, std::int64_t channels, int c, int own) {
  const auto dy = Own::load(a.dy, row * channels + c, own), x = Own::load(a.x, row * a.pitch + c, own);
  unsigned mask = 0;
  if constexpr (Own::masked) mask = a.mask[Own::mask_at(row, channels, c)];
  Gradients<Own::width> result;
  for (int i = 0; i < Own::width; ++i) {
    result.centred[i] = to_float(x.values[i]) - channel[i].mean;
    const bool active = Own::masked ? (mask >> i & 1) != 0 : !a.relu || bn_value(channel[i], result.centred[i]) > 0;
    result.g[i] = active ? to_float(dy.values[i]) : 0.0f;
  }
  return result;
}

struct Sums {
  float g;
  float product;   // of g and x - mean
};

template <typename Own>
__global__ void __launch_bounds__(blockSize)
    bn_bwd_pieces_kernel(BnBackward a, Pieces pieces, std::int64_t first, float* partial) {
  constexpr int width = Own::width;
  SHARED_ARRAY(Sums, parts, mergeSize<width>);
  const std::int64_t piece = first + blockIdx.x, rows = pieces.rows_of(piece), channels = pieces.channels;
  const int c = first_channel<width>();
  const bool real = c < channels;
  const int own = Own::count(channels, c);
  BnChannel channel[width] = {};
  Sums sums[width] = {};
  if (real) {
    for (int i = 0; i < width; ++i)
      if (i < own) channel[i] = bn_channel(a.parameters, c + i);
    const std::int64_t start = pieces.first_row(piece);
    for (std::int64_t row = threadIdx.y; row < rows; row += blockDim.y) {
      const Gradients<width> here = gradients_at<Own>(a, channel, start + row, channels, c, own);
      for (int i = 0; i < width; ++i) {
        sums[i].g += here.g[i];
        sums[i].product = fmaf(here.g[i], here.centred[i], sums[i].product);
      }
    }
  }
  merge_rows(sums, parts, [](const Sums& p, const Sums& q) { return Sums{p.g + q.g, p.product + q.product}; });
  if (threadIdx.y > 0 || !real) return;
  float* const to = partial + piece * 2 * channels + c;
  for (int i = 0; i < width; ++i) {
    if (i >= own) continue;
    to[i] = sums[i].g;
    to[channels + i] = sums[i].product * channel[i].invstd;
  }
}

template <typename Own>
__global__ void __launch_bounds__(blockSize)
    bn_bwd_apply_kernel(BnBackward a, BnInputGradient out, std::int64_t channels, std::int64_t first, std::int64_t rows) {
  using T = typename Own::T;
  constexpr int width = Own::width;
  const int c = first_channel<width>();
  if (c >= channels) return;
  const int own = Own::count(channels, c);
  const bool constants = out.dgamma == nullptr;
  BnChannel channel[width] = {};
  float slope[width] = {}, offset[width] = {};
  for (int i = 0; i < width; ++i) {
    if (i >= own) continue;
    channel[i] = bn_channel(a.parameters, c + i);
    slope[i] = constants ? 0 : -channel[i].scale * channel[i].invstd * out.dgamma[c + i] / out.values;
    offset[i] = constants ? 0 : -channel[i].scale * out.dbeta[c + i] / out.values;
  }
  for (int k = 0; k < applyRows; ++k) {
    const std::int64_t row = row_number<applyRows>(k);
    if (row >= rows) return;
    const Gradients<width> here = gradients_at<Own>(a, channel, first + row, channels, c, own);
    const std::int64_t at = (first + row) * channels + c;
    // One pack after the other: with both at once a kernel spills registers on sm_100.
    if (out.dresidual) {
      Pack<T, width> dresidual;
      for (int i = 0; i < width; ++i) dresidual.values[i] = from_float<T>(here.g[i]);
      Own::store(dresidual, out.dresidual, at, own);
    }
    Pack<T, width> dx;
    for (int i = 0; i < width; ++i) {
      const float direct = channel[i].scale * here.g[i];
      dx.values[i] = from_float<T>(constants ? direct : direct + fmaf(slope[i], here.centred[i], offset[i]));
    }
    Own::store(dx, out.dx, at, own);
  }
}

/// Without relu nothing is masked: the kernels then read no mask.
const std::uint8_t* mask_of(const BnBackward& backward) { return backward.relu ? backward.mask : nullptr; }

}  // namespace

cudaError_t bn_bwd_pieces(DType dtype, const BnBackward& backward, const Pieces& pieces, std::int64_t first, std::int64_t count,
                          float* partial, cudaStream_t stream) {
  return with_channels(
      dtype, pieces.channels | backward.pitch, mask_of(backward),
      [&](auto own) {
        using Own = decltype(own);
        const Rectangles rectangles(pieces.channels, Own::width);
        return launch(bn_bwd_pieces_kernel<Own>, dim3(static_cast<unsigned>(count), rectangles.groups), rectangles.block, 0,
                      stream, backward, pieces, first, partial);
      },
      backward.dy, backward.x);
}

cudaError_t bn_bwd_apply(DType dtype, const BnBackward& backward, const BnInputGradient& gradient, std::int64_t channels,
                         std::int64_t first, std::int64_t rows, cudaStream_t stream) {
  return with_channels(
      dtype, channels | backward.pitch, mask_of(backward),
      [&](auto own) {
        using Own = decltype(own);
        const Rectangles rectangles(channels, Own::width);
        return launch(bn_bwd_apply_kernel<Own>, rectangles.grid(rows, applyRows), rectangles.block, 0, stream, backward, gradient,
                      channels, first, rows);
      },
      backward.dy, backward.x, gradient.dx, gradient.dresidual);
}

}  // namespace eraserelu::cuda
