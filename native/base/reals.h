// Numbers in memory of type f32, bf16 or f16: read as double, rounded once to nearest even where they are written.
#pragma once

#include <cstdint>

#include "base/float16.h"

namespace eraserelu {

/// A position in a tensor.
class Reals {
 public:
  Reals(void* address, DType dtype) : address_(address), dtype_(dtype) {}

  double operator[](std::int64_t i) const {
    if (dtype_ == DType::f32) return static_cast<const float*>(address_)[i];
    return decode_float16(float16_format(dtype_), static_cast<const std::uint16_t*>(address_)[i]);
  }

  void set(std::int64_t i, double value) const {
    if (dtype_ == DType::f32) static_cast<float*>(address_)[i] = static_cast<float>(value);
    else static_cast<std::uint16_t*>(address_)[i] = encode_float16(float16_format(dtype_), value);
  }

  Reals operator+(std::int64_t elements) const {
    return {static_cast<char*>(address_) + elements * static_cast<std::int64_t>(bytes_of(dtype_)), dtype_};
  }

 private:
  void* address_;
  DType dtype_;
};

/// An element that can be assigned.
class RealElement {
 public:
  RealElement(Reals reals, std::int64_t i) : reals_(reals), i_(i) {}
  void operator=(double value) const { reals_.set(i_, value); }

 private:
  Reals reals_;
  std::int64_t i_;
};

}  // namespace eraserelu
