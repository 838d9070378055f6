// The arithmetic of image augmentation: which source pixel an output pixel reads, the cutout square, normalisation.
#pragma once

#include <cstdint>

#include "base/host_device.h"

namespace eraserelu {

/// The index inside [0, extent) that `i` mirrors to, without repeating the edge: -1 → 1, extent → extent - 2.
ERASERELU_HD std::int64_t reflect_index(std::int64_t i, std::int64_t extent) {
  if (extent == 1) return 0;
  const std::int64_t period = 2 * (extent - 1);
  i %= period;
  if (i < 0) i += period;
  return i < extent ? i : period - i;
}

/// The source row (or column) of output position i, given the crop's offset in the padded image; -1 where it is padding.
/// For a flipped image pass width - 1 - column as i.
ERASERELU_HD std::int64_t source_index(std::int64_t i, std::int64_t offset, std::int64_t pad, std::int64_t extent, bool reflect) {
  const std::int64_t source = offset + i - pad;
  if (source >= 0 && source < extent) return source;
  return reflect ? reflect_index(source, extent) : -1;
}

/// Whether output position (i, j) lies in the square of side `side` centred at (y, x). Side 0: nowhere.
ERASERELU_HD bool in_cutout(std::int64_t i, std::int64_t j, std::int64_t y, std::int64_t x, std::int64_t side) {
  const std::int64_t top = y - side / 2;
  const std::int64_t left = x - side / 2;
  return i >= top && i < top + side && j >= left && j < left + side;
}

template <typename Real>
ERASERELU_HD Real normalise(std::uint8_t raw, Real mean, Real std) {
  return (static_cast<Real>(raw) / Real(255) - mean) / std;
}

}  // namespace eraserelu
