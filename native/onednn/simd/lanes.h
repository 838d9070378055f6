// A vector of floats as wide as the instruction set has, for loops that say themselves what lies in registers.
#pragma once

#include <immintrin.h>
#include <utility>

#include "base/bf16.h"
#include "onednn/simd/isa.h"

namespace eraserelu {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
constexpr int kRegisters = kLanes == 16 ? 32 : 16;

// A vector of floats, wherever it lies.
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(sizeof(float)), may_alias));

inline Lanes load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }
inline void store(float* to, Lanes value) { *reinterpret_cast<Lanes*>(to) = value; }

// The bits of a vector, and the codes of as many Bf16.
typedef std::uint32_t LaneBits __attribute__((vector_size(kLanes * sizeof(float)), may_alias));
#if defined(__AVX512F__)
typedef __m256i Codes;
inline LaneBits widened(Codes codes) { return LaneBits(_mm512_maskz_cvtepu16_epi32(0xFFFF, codes)); }
inline Codes narrowed(LaneBits bits) { return _mm512_maskz_cvtepi32_epi16(0xFFFF, __m512i(bits)); }
#elif defined(__AVX2__)
typedef __m128i Codes;
inline LaneBits widened(Codes codes) { return LaneBits(_mm256_cvtepu16_epi32(codes)); }
inline Codes narrowed(LaneBits bits) {
  return _mm_packus_epi32(_mm256_castsi256_si128(__m256i(bits)), _mm256_extracti128_si256(__m256i(bits), 1));
}
#else
typedef long long Codes;
inline LaneBits widened(Codes codes) { return LaneBits(_mm_cvtepu16_epi32(_mm_cvtsi64_si128(codes))); }
inline Codes narrowed(LaneBits bits) { return _mm_cvtsi128_si64(_mm_packus_epi32(__m128i(bits), __m128i(bits))); }
#endif

inline Lanes float_of(Codes codes) { return Lanes(widened(codes) << 16); }

/// Rounds as base/bf16.h does.
inline Codes codes_of(Lanes value) {
  const LaneBits bits = LaneBits(value), rounded = bits + 0x7FFF + (bits >> 16 & 1), quiet = bits | 0x400000;
  return narrowed((value != value ? quiet : rounded) >> 16);
}

inline Lanes load(const Bf16* from) {
  Codes codes;
  __builtin_memcpy(&codes, from, sizeof(codes));
  return float_of(codes);
}
inline void store(Bf16* to, Lanes value) {
  const Codes codes = codes_of(value);
  __builtin_memcpy(static_cast<void*>(to), &codes, sizeof(codes));
}

/// As fused of isa.h, on the same bits.
inline Lanes fused(Lanes a, Lanes b, Lanes c) {
#if defined(__AVX512F__)
  return Lanes(_mm512_fmadd_ps(__m512(a), __m512(b), __m512(c)));
#elif defined(__FMA__)
  return Lanes(_mm256_fmadd_ps(__m256(a), __m256(b), __m256(c)));
#else
  return a * b + c;
#endif
}

/// Some lanes of a vector, the first ones: the others are zero, and what lies there in memory is not touched.
class Part {
 public:
  explicit Part(std::int64_t count) : count_(static_cast<int>(count)) {}

  std::size_t lanes() const { return static_cast<std::size_t>(count_); }

#if defined(__AVX512F__)
  Lanes load(const float* from) const { return Lanes(_mm512_maskz_loadu_ps(mask(), from)); }
  void store(float* to, Lanes value) const { _mm512_mask_storeu_ps(to, mask(), __m512(value)); }
  Lanes load(const Bf16* from) const { return float_of(_mm256_maskz_loadu_epi16(mask(), from)); }
  void store(Bf16* to, Lanes value) const { _mm256_mask_storeu_epi16(to, mask(), codes_of(value)); }

 private:
  __mmask16 mask() const { return static_cast<__mmask16>((1u << count_) - 1); }
#elif defined(__AVX2__)
  Lanes load(const float* from) const { return Lanes(_mm256_maskload_ps(from, mask())); }
  void store(float* to, Lanes value) const { _mm256_maskstore_ps(to, mask(), __m256(value)); }
  Lanes load(const Bf16* from) const { return load_each(from); }
  void store(Bf16* to, Lanes value) const { store_each(to, value); }

 private:
  __m256i mask() const { return _mm256_cmpgt_epi32(_mm256_set1_epi32(count_), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); }
#else
  Lanes load(const float* from) const { return load_each(from); }
  void store(float* to, Lanes value) const { store_each(to, value); }
  Lanes load(const Bf16* from) const { return load_each(from); }
  void store(Bf16* to, Lanes value) const { store_each(to, value); }

 private:
#endif
  template <typename T>
  Lanes load_each(const T* from) const {
    Lanes value = {};
    for (int lane = 0; lane < count_; ++lane) value[lane] = from[lane];
    return value;
  }
  template <typename T>
  void store_each(T* to, Lanes value) const {
    for (int lane = 0; lane < count_; ++lane) to[lane] = value[lane];
  }

  int count_;
};

/// All lanes, where a loop takes either.
struct Whole {
  static constexpr std::size_t lanes() { return kLanes; }
  template <typename T>
  Lanes load(const T* from) const { return eraserelu::load(from); }
  template <typename T>
  void store(T* to, Lanes value) const { eraserelu::store(to, value); }
};

/// Calls body(first, access) for every vector of n floats; `access` loads and stores what there is of it.
template <typename Body>
inline void each_vector(std::int64_t n, const Body& body) {
  std::int64_t at = 0;
  for (; at + kLanes <= n; at += kLanes) body(at, Whole());
  if (at < n) body(at, Part(n - at));
}

template <typename Body, int... I>
ERASERELU_INLINE inline void unrolled(const Body& body, std::integer_sequence<int, I...>) {
  (body(std::integral_constant<int, I>()), ...);
}

/// Calls body(i) for i from 0 to Count - 1, each a constant: what it indexes can stay in registers.
template <int Count, typename Body>
ERASERELU_INLINE inline void unrolled(const Body& body) {
  unrolled(body, std::make_integer_sequence<int, Count>());
}

}  // namespace
}  // namespace eraserelu
