// The gradient of a filter tap by tap: dyᵀ · x over the pixels of dy whose window has the tap inside the image. Of images of a few pixels most
// windows have most of their taps outside. Each sum is one thread's, pixel after pixel, in dw itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "onednn/own_convolution.h"

namespace eraserelu::cpu {

/// A convolution with stride 1 from x to y. The channels of x fill whole vectors.
struct TapwiseShape {
  Plane x, y;
  std::int64_t height, width;   // of the filter
  std::int64_t padTop, padLeft;
};

class TapwiseFilterSums {
 public:
  explicit TapwiseFilterSums(const TapwiseShape& shape) : shape_(shape) {}

  std::size_t scratch_bytes() const;   // of all threads
  /// dw: dense KRSC.
  void bind(void* scratch, float* dw);

  /// Adds images that begin at x and dy to dw; `afresh`: these are the first.
  void add(const float* x, const float* dy, std::int64_t images, bool afresh) const;

 private:
  struct Block;
  void add_block(const Block& block) const;
  std::int64_t taps() const { return shape_.height * shape_.width; }
  std::int64_t thread_floats() const;

  TapwiseShape shape_;
  float* scratch_ = nullptr;
  float* dw_ = nullptr;
};

}  // namespace eraserelu::cpu
