// Denormal floats: numbers below 2^-126, which x86 processors compute about a hundred times as slowly as others.
#pragma once

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace eraserelu {

/// From now on this thread, and threads that it starts, take denormals for zero and write zero for them. The gradients of a network that is sure of all
/// its answers are full of them.
inline void flush_denormals() {
#if defined(__SSE__)
  constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
  _mm_setcsr(_mm_getcsr() | kFlushToZero | kDenormalsAreZero);
#endif
}

}  // namespace eraserelu
