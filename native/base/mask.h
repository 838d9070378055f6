// The mask that a ReLU leaves for the backward pass: one bit an element, 1 where the value before the activation is > 0.
// Channel c of a pixel is bit c % 8 (the lowest is 0) of byte c / 8 of that pixel; the bits after the last channel are 0.
#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "base/tensor_desc.h"

namespace eraserelu {

/// Bytes of one pixel's mask.
ERASERELU_HD std::int64_t mask_bytes(std::int64_t channels) { return (channels + 7) / 8; }

/// The shape of the mask of an activation [..., C].
inline Shape mask_shape(Shape activation) {
  activation.back() = mask_bytes(activation.back());
  return activation;
}

}  // namespace eraserelu
