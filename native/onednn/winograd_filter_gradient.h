// The gradient of a filter by Winograd's algorithm (winograd.h): the batch in as many parts as there are threads, each with sums of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "onednn/winograd.h"

namespace eraserelu::cpu {

class WinogradFilterSums {
 public:
  explicit WinogradFilterSums(const WinogradShape& shape);   // from x to y

  std::size_t scratch_bytes() const;
  void bind(void* scratch) { scratch_ = static_cast<float*>(scratch); }

  /// Adds images that begin at x and dy to the sums; `afresh`: these are the first.
  void add(const float* x, const float* dy, std::int64_t images, bool afresh);
  /// dw: dense KRSC.
  void write(float* dw) const;

 private:
  void add_block(const float* x, const float* dy, std::int64_t first, std::int64_t count, std::int64_t part, bool more);
  float* part_memory(std::int64_t part) const { return scratch_ + part * part_floats(); }
  std::int64_t sums_position() const { return position_of(shape_.y.channels, shape_.x.lanes()); }
  std::int64_t part_floats() const;

  WinogradShape shape_;
  Tiles tiles_;
  std::int64_t blockTiles_;
  std::vector<float> zeros_;   // a pixel outside the image
  std::int64_t parts_;
  float* scratch_ = nullptr;
};

}  // namespace eraserelu::cpu
