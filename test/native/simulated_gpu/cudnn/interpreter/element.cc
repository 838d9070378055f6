#include "interpreter/element.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace simulated_cudnn {
namespace {

struct SmallFloat {
  int mantissa;   // stored bits
  int minExponent;   // of the smallest normal number
  double largest;
};
constexpr SmallFloat half{10, -14, 65504.0};
constexpr SmallFloat bfloat16{7, -126, 3.3895313892515355e38};

/// Rounds to a multiple of the format's spacing at this magnitude; what is then beyond the largest number is infinite.
double rounded(const SmallFloat& format, double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const int exponent = std::max(std::ilogb(value), format.minExponent);
  const double spacing = std::ldexp(1.0, exponent - format.mantissa);
  const double result = std::nearbyint(value / spacing) * spacing;   // exact: spacing is a power of two
  return std::fabs(result) > format.largest ? std::copysign(std::numeric_limits<double>::infinity(), value) : result;
}

std::uint16_t encode(const SmallFloat& format, double value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const std::uint16_t allOnes = static_cast<std::uint16_t>(0x7FFF >> format.mantissa << format.mantissa);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7FFF);
  const double magnitude = std::fabs(rounded(format, value));
  if (std::isinf(magnitude)) return static_cast<std::uint16_t>(sign | allOnes);
  if (magnitude == 0) return sign;
  const int exponent = std::max(std::ilogb(magnitude), format.minExponent);
  const auto steps =
      static_cast<int>(std::ldexp(magnitude, format.mantissa - exponent));   // has the implicit bit unless subnormal
  const int biased = exponent - format.minExponent;
  return static_cast<std::uint16_t>(sign | ((biased << format.mantissa) + steps));
}

double decode(const SmallFloat& format, std::uint16_t bits) {
  const double sign = bits & 0x8000 ? -1.0 : 1.0;
  const int exponent = (bits & 0x7FFF) >> format.mantissa;
  const int fraction = bits & ((1 << format.mantissa) - 1);
  if (exponent == 0x7FFF >> format.mantissa)
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  if (exponent == 0) return sign * std::ldexp(fraction, format.minExponent - format.mantissa);
  return sign * std::ldexp((1 << format.mantissa) + fraction, format.minExponent + exponent - 1 - format.mantissa);
}

template <typename T>
T read(const void* memory, std::int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const char*>(memory) + index * static_cast<std::int64_t>(sizeof value), sizeof value);
  return value;
}

template <typename T>
void write(void* memory, std::int64_t index, T value) {
  std::memcpy(static_cast<char*>(memory) + index * static_cast<std::int64_t>(sizeof value), &value, sizeof value);
}

template <typename T>
T saturated(double value) {
  if (std::isnan(value)) return 0;
  if (value <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  return static_cast<T>(std::nearbyint(value));
}

}  // namespace

std::int64_t bits_of(cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_FLOAT:
    case CUDNN_DATA_INT32: return 32;
    case CUDNN_DATA_BFLOAT16:
    case CUDNN_DATA_HALF: return 16;
    case CUDNN_DATA_INT8: return 8;
    case CUDNN_DATA_BOOLEAN: return 1;
    default: return 0;
  }
}

double load_element(cudnnDataType_t type, const void* memory, std::int64_t index) {
  switch (type) {
    case CUDNN_DATA_FLOAT: return read<float>(memory, index);
    case CUDNN_DATA_BFLOAT16: return decode(bfloat16, read<std::uint16_t>(memory, index));
    case CUDNN_DATA_HALF: return decode(half, read<std::uint16_t>(memory, index));
    case CUDNN_DATA_INT8: return read<std::int8_t>(memory, index);
    case CUDNN_DATA_INT32: return read<std::int32_t>(memory, index);
    default: return read<std::uint8_t>(memory, index / 8) >> index % 8 & 1;
  }
}

void store_element(cudnnDataType_t type, void* memory, std::int64_t index, double value) {
  switch (type) {
    case CUDNN_DATA_FLOAT: return write(memory, index, static_cast<float>(value));
    case CUDNN_DATA_BFLOAT16: return write(memory, index, encode(bfloat16, value));
    case CUDNN_DATA_HALF: return write(memory, index, encode(half, value));
    case CUDNN_DATA_INT8: return write(memory, index, saturated<std::int8_t>(value));
    case CUDNN_DATA_INT32: return write(memory, index, saturated<std::int32_t>(value));
    default: {
      const auto bit = static_cast<std::uint8_t>(1 << index % 8);
      const std::uint8_t byte = read<std::uint8_t>(memory, index / 8);
      return write(memory, index / 8, static_cast<std::uint8_t>(value != 0 ? byte | bit : byte & ~bit));
    }
  }
}

double epsilon_of(cudnnDataType_t type) {
  return type == CUDNN_DATA_BFLOAT16 ? 0x1p-7 : type == CUDNN_DATA_HALF ? 0x1p-10 : 0x1p-23;
}

}  // namespace simulated_cudnn
