// Shared by the loop files of this folder. They are compiled several times with different instruction sets, so nothing in
// them may have external linkage but the table: everything stands in an unnamed namespace or is static.
#pragma once

#include <cstdint>

#define ERASERELU_INDEPENDENT _Pragma("GCC ivdep")   // no iteration reads what another wrote; exact aliasing is fine
#define ERASERELU_UNROLL _Pragma("GCC unroll 8")   // at most eight rounds, so that what they share stays in registers
#define ERASERELU_INLINE __attribute__((always_inline))   // where sums must not leave their registers for a call

namespace eraserelu {
namespace {

/// a·b + c, rounded once where the instruction set can. Forward and backward of batch norm must agree on its bits.
inline float fused(float a, float b, float c) {
#ifdef __FMA__
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

inline std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

}  // namespace
}  // namespace eraserelu
