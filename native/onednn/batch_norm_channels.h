// What batch norm's passes share: per-channel vectors, tiled for the loops, and sums of the pieces' partial results.
#pragma once

#include <cmath>

#include "onednn/parallel.h"

namespace eraserelu::cpu {

/// values(c) of every channel, repeated to the period of the loops.
template <typename Values>
void tile_channels(const Pieces& pieces, float* tiled, const Values& values) {
  for (std::int64_t c = 0; c < pieces.channels; ++c) tiled[c] = static_cast<float>(values(c));
  for (std::int64_t j = pieces.channels; j < pieces.period; ++j) tiled[j] = tiled[j - pieces.channels];
}

/// The parameters of y = act(scale·x + shift): batch norm before its activation. Forward and backward take them from here,
/// so that both find the same elements active. `spread` is invstd, or the variance when epsilon is given.
struct BnParameters {
  const float* mean;
  const float* spread;
  const float* gamma;
  const float* beta;
  double epsilon = -1;

  double invstd(std::int64_t c) const { return epsilon < 0 ? spread[c] : 1.0 / std::sqrt(spread[c] + epsilon); }
  double scale(std::int64_t c) const { return gamma[c] * invstd(c); }
  double shift(std::int64_t c) const { return beta[c] - mean[c] * scale(c); }
};

/// totals[c] = Σ over the pieces of partial[piece·stride + c], in the order of the pieces, for c in [begin, end).
inline void sum_pieces(const float* partial, std::int64_t count, std::int64_t stride, std::int64_t begin, std::int64_t end,
                       double* totals) {
  for (std::int64_t c = begin; c < end; ++c) totals[c] = 0;
  for (std::int64_t piece = 0; piece < count; ++piece)
    for (std::int64_t c = begin; c < end; ++c) totals[c] += partial[piece * stride + c];
}

}  // namespace eraserelu::cpu
