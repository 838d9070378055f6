// bf16 as a type of the language: read as float, rounded to nearest even where it is written.
#pragma once

#include <cstdint>

namespace eraserelu {

/// Its functions are always inlined: loops that use them are compiled for several instruction sets (onednn/simd/).
class Bf16 {
 public:
  Bf16() = default;

  [[gnu::always_inline]] Bf16(float value) {
    std::uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof(bits));
    const std::uint32_t rounded = bits + 0x7FFF + (bits >> 16 & 1);   // what is too large carries into infinity
    const std::uint32_t quiet = bits | 0x400000;                      // a NaN must not
    code_ = static_cast<std::uint16_t>((value != value ? quiet : rounded) >> 16);
  }

  [[gnu::always_inline]] operator float() const {
    const std::uint32_t bits = std::uint32_t{code_} << 16;
    float value;
    __builtin_memcpy(&value, &bits, sizeof(value));
    return value;
  }

  [[gnu::always_inline]] static Bf16 of_code(std::uint16_t code) {
    Bf16 result;
    result.code_ = code;
    return result;
  }

 private:
  std::uint16_t code_;
};

}  // namespace eraserelu
