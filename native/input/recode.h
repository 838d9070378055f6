// Images as they are packed into shards: as they are, encoded again, or as pixels.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "base/error.h"
#include "input/image_files.h"

namespace eraserelu {

struct RecodeRule {
  enum class Format { Keep, Jpeg, Raw };
  Format format = Format::Keep;
  int shorter = 0;   // an image whose shorter side is longer is resized to it, but not one that is kept; 0: none is
  int quality = 0;   // of JPEGs
};

struct Recoded {
  std::vector<std::uint8_t> bytes;   // empty where there is a fault
  std::uint32_t checksum = 0;        // CRC-32C
  int height = 0;                    // of the image that was read
  int width = 0;
  std::optional<Error> fault;        // with its place
};

/// Reads images and decodes them as a whole, those that are kept too, so that damage is found. Throws when `stop` is set.
std::vector<Recoded> recode(const ImageFiles& files, const std::vector<std::int32_t>& indices, const RecodeRule& rule, std::size_t threads,
                            const std::atomic<bool>& stop);

}  // namespace eraserelu
