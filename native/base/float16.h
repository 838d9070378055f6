// The two 16-bit floats on the host: bf16 (8 bits of exponent, 7 of fraction) and f16 (5 and 10, IEEE 754 binary16).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/tensor_desc.h"

namespace eraserelu {

struct Float16Format {
  int fraction;             // bits
  int lowest;               // exponent of the smallest normal number
  std::uint16_t infinity;   // its code
};

constexpr Float16Format kBf16{7, -126, 0x7F80};
constexpr Float16Format kF16{10, -14, 0x7C00};

/// `dtype` is bf16 or f16.
inline const Float16Format& float16_format(DType dtype) { return dtype == DType::bf16 ? kBf16 : kF16; }

inline double decode_float16(const Float16Format& format, std::uint16_t code) {
  const int magnitude = code & 0x7FFF, exponent = magnitude >> format.fraction, one = 1 << format.fraction;
  const double sign = code & 0x8000 ? -1.0 : 1.0;
  if (magnitude > format.infinity) return std::numeric_limits<double>::quiet_NaN();
  if (magnitude == format.infinity) return sign * std::numeric_limits<double>::infinity();
  const int significand = (magnitude & (one - 1)) + (exponent > 0 ? one : 0);
  return sign * std::ldexp(significand, std::max(exponent, 1) - 1 + format.lowest - format.fraction);
}

/// Rounds once, to nearest even; what is too large becomes infinity.
inline std::uint16_t encode_float16(const Float16Format& format, double value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | format.infinity | 1 << (format.fraction - 1));
  if (std::isinf(value)) return static_cast<std::uint16_t>(sign | format.infinity);
  int exponent = 0;
  std::frexp(value, &exponent);   // of [0.5, 1)
  const int above = value == 0 ? 0 : std::max(exponent - 1 - format.lowest, 0);
  // The implicit bit of a normal number, and a fraction that rounds up to the next power of two, carry into the exponent.
  const double steps = std::nearbyint(std::ldexp(std::fabs(value), format.fraction - format.lowest - above));
  const double code = static_cast<double>(std::int64_t{above} << format.fraction) + steps;
  return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::min<double>(code, format.infinity)));
}

}  // namespace eraserelu
