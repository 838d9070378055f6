// How the images of a Winograd convolution are cut into tiles: 4x4 pixels of its output, the last ones of a row or column in part outside.
#pragma once

#include <cstdint>

#include "onednn/own_convolution.h"
#include "onednn/parallel.h"

namespace eraserelu::cpu {

constexpr std::int64_t kPositions = 36;   // of a transformed tile
constexpr std::int64_t kApart = 16;       // floats between positions, so that they do not fall on the same lines of the cache

/// Floats from a position to the next, of `rows` tiles or filters.
inline std::int64_t position_of(std::int64_t rows, std::int64_t channels) { return rows * channels + kApart; }

class Tiles {
 public:
  explicit Tiles(const Plane& output) : down_(ceil_div(output.height, 4)), across_(ceil_div(output.width, 4)) {}

  std::int64_t per_image() const { return down_ * across_; }

  /// Calls body(i, offset) for the Size x Size pixels of a tile, row by row; its first one lies `before` pixels above and left of the tile's
  /// place in the output. offset: of the pixel's first channel in images of this plane, or -1 outside.
  template <int Size, typename Body>
  void each_pixel(std::int64_t tile, const Plane& plane, std::int64_t beforeTop, std::int64_t beforeLeft, const Body& body) const {
    const std::int64_t image = tile / per_image();
    const std::int64_t top = tile / across_ % down_ * 4 - beforeTop, left = tile % across_ * 4 - beforeLeft;
    std::int64_t columns[Size];   // how far into a row of the image, or -1
    for (int column = 0; column < Size; ++column) {
      const std::int64_t x = left + column;
      columns[column] = x >= 0 && x < plane.width ? x * plane.channels : -1;
    }
    for (int row = 0; row < Size; ++row) {
      const std::int64_t y = top + row, start = (image * plane.height + y) * plane.width * plane.channels;
      const bool inside = y >= 0 && y < plane.height;
      for (int column = 0; column < Size; ++column)
        body(row * Size + column, inside && columns[column] >= 0 ? start + columns[column] : -1);
    }
  }

 private:
  std::int64_t down_, across_;
};

}  // namespace eraserelu::cpu
