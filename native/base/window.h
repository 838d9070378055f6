// The geometry of sliding windows (convolution, pooling) along one axis.
#pragma once

#include <cstdint>

#include "base/host_device.h"

namespace eraserelu {

/// How many windows fit: floor((extent + before + after - dilation·(kernel-1) - 1) / stride) + 1; 0 when none does.
ERASERELU_HD std::int64_t window_count(std::int64_t extent, std::int64_t before, std::int64_t after, std::int64_t kernel,
                                       std::int64_t stride, std::int64_t dilation) {
  const std::int64_t room = extent + before + after - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

/// The window whose tap at distance `reach` from its start reads position i (counted in the padded axis); -1 when there is none.
ERASERELU_HD std::int64_t window_reading(std::int64_t i, std::int64_t reach, std::int64_t stride, std::int64_t windows) {
  const std::int64_t start = i - reach;
  if (start < 0 || start % stride != 0) return -1;
  return start / stride < windows ? start / stride : -1;
}

}  // namespace eraserelu
