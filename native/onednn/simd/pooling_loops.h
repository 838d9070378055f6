// Maximum pooling of one output pixel, all channels.
#pragma once

#include "onednn/simd/isa.h"
#include "onednn/simd/loops.h"

namespace eraserelu {
namespace {

/// A group of channels, kept in registers while the taps go by. The first maximum wins, and the first NaN before everything.
/// Real and Index are float and int32, or vectors of them.
template <typename Real, typename Index, typename Argmax>
void max_pool_group(const WindowTap* taps, int count, std::int64_t c, float* y, std::uint8_t* argmax) {
  Real best;
  __builtin_memcpy(&best, taps[0].row + c, sizeof(best));
  Index winner = Index{} + taps[0].index;
  for (int t = 1; t < count; ++t) {
    Real value;
    __builtin_memcpy(&value, taps[t].row + c, sizeof(value));
    const Index here = Index{} + taps[t].index;
    const auto better = (value > best) | ((value != value) & (best == best));
    best = better ? value : best;
    winner = better ? here : winner;
  }
  __builtin_memcpy(y + c, &best, sizeof(best));
  if (!argmax) return;
  Argmax narrow;
  if constexpr (sizeof(Argmax) == 1) narrow = static_cast<Argmax>(winner);
  else narrow = __builtin_convertvector(winner, Argmax);
  __builtin_memcpy(argmax + c, &narrow, sizeof(narrow));
}

using Float16 __attribute__((vector_size(64))) = float;
using Int16 __attribute__((vector_size(64))) = std::int32_t;
using Byte16 __attribute__((vector_size(16))) = std::uint8_t;

void max_pool_loop(const WindowTap* taps, int count, float* y, std::uint8_t* argmax, std::int64_t channels) {
  std::int64_t c = 0;
  for (; c + 16 <= channels; c += 16) max_pool_group<Float16, Int16, Byte16>(taps, count, c, y, argmax);
  for (; c < channels; ++c) max_pool_group<float, std::int32_t, std::uint8_t>(taps, count, c, y, argmax);
}

void max_pool_bwd_loop(const float* dy, const std::uint8_t* argmax, int index, float* dx, std::int64_t channels) {
  ERASERELU_INDEPENDENT
  for (std::int64_t c = 0; c < channels; ++c) dx[c] += argmax[c] == index ? dy[c] : 0;
}

}  // namespace
}  // namespace eraserelu
