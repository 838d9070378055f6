#include "input/crc32c.h"

#include <nmmintrin.h>

#include <cstring>

namespace eraserelu {

std::uint32_t crc32c(const std::uint8_t* data, std::size_t size) {
  std::uint64_t value = 0xFFFFFFFFu;
  for (; size >= 8; data += 8, size -= 8) {
    std::uint64_t word;
    std::memcpy(&word, data, 8);
    value = _mm_crc32_u64(value, word);
  }
  auto rest = static_cast<std::uint32_t>(value);
  for (; size > 0; ++data, --size) rest = _mm_crc32_u8(rest, *data);
  return ~rest;
}

}  // namespace eraserelu
