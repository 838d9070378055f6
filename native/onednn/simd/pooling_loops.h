// Maximum pooling of one output pixel, all channels.
#pragma once

#include "onednn/simd/isa.h"
#include "onednn/simd/loops.h"

namespace eraserelu {
namespace {

/// As many elements as Real, which is float or a vector of them, holds.
template <typename Real, typename T>
Real load_group(const T* from) {
  Real group;
  if constexpr (sizeof(T) == sizeof(float)) {
    __builtin_memcpy(&group, from, sizeof(group));
  } else {
    float values[sizeof(Real) / sizeof(float)];
    for (std::size_t i = 0; i < sizeof(Real) / sizeof(float); ++i) values[i] = from[i];
    __builtin_memcpy(&group, values, sizeof(group));
  }
  return group;
}

template <typename Real, typename T>
void store_group(const Real& group, T* to) {
  if constexpr (sizeof(T) == sizeof(float)) {
    __builtin_memcpy(to, &group, sizeof(group));
  } else {
    float values[sizeof(Real) / sizeof(float)];
    __builtin_memcpy(values, &group, sizeof(group));
    for (std::size_t i = 0; i < sizeof(Real) / sizeof(float); ++i) to[i] = values[i];
  }
}

/// A group of channels, kept in registers while the taps go by. The first maximum wins, and the first NaN before everything.
/// Real and Index are float and int32, or vectors of them.
template <typename Real, typename Index, typename Argmax, typename T>
void max_pool_group(const WindowTap<T>* taps, int count, std::int64_t c, T* y, std::uint8_t* argmax) {
  Real best = load_group<Real>(taps[0].row + c);
  Index winner = Index{} + taps[0].index;
  for (int t = 1; t < count; ++t) {
    const Real value = load_group<Real>(taps[t].row + c);
    const Index here = Index{} + taps[t].index;
    const auto better = (value > best) | ((value != value) & (best == best));
    best = better ? value : best;
    winner = better ? here : winner;
  }
  store_group(best, y + c);
  if (!argmax) return;
  Argmax narrow;
  if constexpr (sizeof(Argmax) == 1) narrow = static_cast<Argmax>(winner);
  else narrow = __builtin_convertvector(winner, Argmax);
  __builtin_memcpy(argmax + c, &narrow, sizeof(narrow));
}

using Float16 __attribute__((vector_size(64))) = float;
using Int16 __attribute__((vector_size(64))) = std::int32_t;
using Byte16 __attribute__((vector_size(16))) = std::uint8_t;

template <typename T>
void max_pool_loop(const WindowTap<T>* taps, int count, T* y, std::uint8_t* argmax, std::int64_t channels) {
  std::int64_t c = 0;
  for (; c + 16 <= channels; c += 16) max_pool_group<Float16, Int16, Byte16>(taps, count, c, y, argmax);
  for (; c < channels; ++c) max_pool_group<float, std::int32_t, std::uint8_t>(taps, count, c, y, argmax);
}

template <typename T>
void max_pool_bwd_loop(const T* dy, const std::uint8_t* argmax, int index, float* dx, std::int64_t channels) {
  ERASERELU_INDEPENDENT
  for (std::int64_t c = 0; c < channels; ++c) dx[c] += argmax[c] == index ? static_cast<float>(dy[c]) : 0;
}

}  // namespace
}  // namespace eraserelu
