// A vector of floats as wide as the instruction set has, for loops that say themselves what lies in registers.
#pragma once

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

}  // namespace
}  // namespace eraserelu
