// Maximum pooling of one output pixel, all channels.
#pragma once

#include "onednn/simd/lanes.h"
#include "onednn/simd/loops.h"

namespace eraserelu {
namespace {

typedef std::int32_t LaneIndices __attribute__((vector_size(kLanes * sizeof(float))));
typedef std::uint8_t LaneBytes __attribute__((vector_size(kLanes)));

/// Channels are kept in registers while the taps go by. The first maximum wins, and the first NaN before everything.
template <typename T>
void max_pool_loop(const WindowTap<T>* taps, int count, T* y, std::uint8_t* argmax, std::int64_t channels) {
  each_vector(channels, [&](std::int64_t c, auto vector) {
    Lanes best = vector.load(taps[0].row + c);
    LaneIndices winner = LaneIndices{} + taps[0].index;
    for (int t = 1; t < count; ++t) {
      const Lanes value = vector.load(taps[t].row + c);
      const auto better = (value > best) | ((value != value) & (best == best));
      best = better ? value : best;
      winner = better ? LaneIndices{} + taps[t].index : winner;
    }
    vector.store(y + c, best);
    if (!argmax) return;
    const LaneBytes narrow = __builtin_convertvector(winner, LaneBytes);
    __builtin_memcpy(argmax + c, &narrow, vector.lanes());
  });
}

template <typename T>
void max_pool_bwd_loop(const T* dy, const std::uint8_t* argmax, int index, float* dx, std::int64_t channels) {
  ERASERELU_INDEPENDENT
  for (std::int64_t c = 0; c < channels; ++c) dx[c] += argmax[c] == index ? static_cast<float>(dy[c]) : 0;
}

}  // namespace
}  // namespace eraserelu
