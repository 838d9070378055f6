// CRC-32C (Castagnoli), the checksum of records in shards: RFC 3720, appendix B.4.
#pragma once

#include <cstddef>
#include <cstdint>

namespace eraserelu {

std::uint32_t crc32c(const std::uint8_t* data, std::size_t size);

}  // namespace eraserelu
