// One axis of a sliding window, both ways: which input position a tap reads, and which window reads an input position.
#pragma once

#include "base/window.h"
#include "plan/op_desc.h"

namespace eraserelu::reference {

struct WindowAxis {
  std::int64_t in;         // extent of the image
  std::int64_t out;        // number of windows
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t before;     // padding
  std::int64_t dilation;

  /// -1 in the padding.
  std::int64_t source(std::int64_t window, std::int64_t tap) const {
    const std::int64_t position = window * stride + tap * dilation - before;
    return position >= 0 && position < in ? position : -1;
  }

  /// -1 when no window's tap reads the position.
  std::int64_t window(std::int64_t position, std::int64_t tap) const {
    return window_reading(position + before, tap * dilation, stride, out);
  }
};

/// Axis 0 is the height, axis 1 the width of the images [N,H,W,C] that windows of `kernel` pixels turn into `out`.
inline WindowAxis window_axis(int axis, const Shape& in, const Shape& out, std::int64_t kernel, const Attributes& attributes) {
  const std::int64_t dilation = attributes.has("dilation") ? attributes.integers("dilation")[axis] : 1;
  return {in[1 + axis], out[1 + axis],  kernel, attributes.integers("stride")[axis],
          attributes.integers("pad")[2 * axis], dilation};
}

}  // namespace eraserelu::reference
