// A vector of floats as wide as the instruction set has, for loops that say themselves what lies in registers.
#pragma once

#include <immintrin.h>

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
// A vector of floats, wherever it lies.
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(sizeof(float)), may_alias));

inline Lanes load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }
inline void store(float* to, Lanes value) { *reinterpret_cast<Lanes*>(to) = value; }

/// Some lanes of a vector, the first ones: the others are zero, and what lies there in memory is not touched.
class Part {
 public:
  explicit Part(std::int64_t count) : count_(static_cast<int>(count)) {}

#if defined(__AVX512F__)
  Lanes load(const float* from) const { return Lanes(_mm512_maskz_loadu_ps(mask(), from)); }
  void store(float* to, Lanes value) const { _mm512_mask_storeu_ps(to, mask(), __m512(value)); }

 private:
  __mmask16 mask() const { return static_cast<__mmask16>((1u << count_) - 1); }
#elif defined(__AVX2__)
  Lanes load(const float* from) const { return Lanes(_mm256_maskload_ps(from, mask())); }
  void store(float* to, Lanes value) const { _mm256_maskstore_ps(to, mask(), __m256(value)); }

 private:
  __m256i mask() const { return _mm256_cmpgt_epi32(_mm256_set1_epi32(count_), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); }
#else
  Lanes load(const float* from) const {
    Lanes value = {};
    for (int lane = 0; lane < count_; ++lane) value[lane] = from[lane];
    return value;
  }
  void store(float* to, Lanes value) const {
    for (int lane = 0; lane < count_; ++lane) to[lane] = value[lane];
  }

 private:
#endif
  int count_;
};

/// All lanes, where a loop takes either.
struct Whole {
  Lanes load(const float* from) const { return eraserelu::load(from); }
  void store(float* to, Lanes value) const { eraserelu::store(to, value); }
};

/// Calls body(first, access) for every vector of n floats; `access` loads and stores what there is of it.
template <typename Body>
inline void each_vector(std::int64_t n, const Body& body) {
  std::int64_t at = 0;
  for (; at + kLanes <= n; at += kLanes) body(at, Whole());
  if (at < n) body(at, Part(n - at));
}

}  // namespace
}  // namespace eraserelu
