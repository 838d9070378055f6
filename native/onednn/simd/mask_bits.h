// Bits of a mask (base/mask.h) from and to one byte an element, on which loops vectorise.
#pragma once

#include <immintrin.h>

#include "base/bf16.h"
#include "onednn/simd/isa.h"

namespace eraserelu {
namespace {

constexpr std::int64_t kMaskBlock = 2048;   // elements whose bytes are kept on the stack; a multiple of 8

/// Elements whose bits follow each other without a gap: all n, or a pixel.
inline std::int64_t gapless(std::int64_t n, std::int64_t channels) { return channels % 8 == 0 ? n : channels; }

/// Bit i: values[i] > 0, of 8 values.
inline std::uint8_t positive_bits(const float* values) {
#ifdef __AVX__
  return static_cast<std::uint8_t>(
      _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values), _mm256_setzero_ps(), _CMP_GT_OQ)));
#else
  const __m128 zero = _mm_setzero_ps();
  const int low = _mm_movemask_ps(_mm_cmpgt_ps(_mm_loadu_ps(values), zero));
  return static_cast<std::uint8_t>(low | _mm_movemask_ps(_mm_cmpgt_ps(_mm_loadu_ps(values + 4), zero)) << 4);
#endif
}

inline std::uint8_t positive_bits(const Bf16* values) {
  float widened[8];
  for (int i = 0; i < 8; ++i) widened[i] = values[i];
  return positive_bits(widened);
}

/// The same of fewer than 8 values.
template <typename T>
std::uint8_t last_bits(const T* values, std::int64_t count) {
  float padded[8] = {};
  for (std::int64_t i = 0; i < count; ++i) padded[i] = values[i];
  return positive_bits(padded);
}

/// Writes the bits of n values, whole pixels; returns the byte after them.
template <typename T>
std::uint8_t* write_mask(const T* values, std::int64_t n, std::int64_t channels, std::uint8_t* mask) {
  const T* const end = values + n;
  const std::int64_t stretch = gapless(n, channels), rest = stretch % 8;
  while (values < end) {
    const T* const whole = values + stretch - rest;
    for (; values < whole; values += 8) *mask++ = positive_bits(values);
    if (rest == 0) continue;
    // What stands behind the pixel may be read, but not after the last one.
    *mask++ = end - values < 8 ? last_bits(values, rest) : positive_bits(values) & ((1 << rest) - 1);
    values += rest;
  }
  return mask;
}

/// Spreads n bits, whole pixels or a part of one, to bytes that are 0 or not; returns the byte after them. Writes up to 7 bytes
/// behind the n.
inline const std::uint8_t* read_mask(const std::uint8_t* mask, std::int64_t n, std::int64_t channels, std::uint8_t* bytes) {
  const std::int64_t stretch = gapless(n, channels);
  for (std::int64_t start = 0; start < n; start += stretch)
    for (std::int64_t i = 0; i < stretch; i += 8) {
      const std::uint64_t group = *mask++ * 0x0101010101010101ULL & 0x8040201008040201ULL;
      __builtin_memcpy(bytes + start + i, &group, sizeof(group));
    }
  return mask;
}

}  // namespace
}  // namespace eraserelu
