// Image input: crops, flips, normalises, cuts out and pads channels in one pass. Returns what its launch returned.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "base/tensor_desc.h"

namespace eraserelu::cuda {

struct ImageInput {
  const std::uint8_t* source;     // [sources, height, width, channels]
  const std::int32_t* indices;    // which source each image is; nullptr: in order
  const std::int32_t* offsets;    // top, left
  const std::uint8_t* flips;
  const std::int32_t* cutouts;    // centre y, x; or nullptr
  const float* table;             // the normalised value by channel and raw value, [channels, 256], and behind them a zero
  void* x;                        // [images, outHeight, outWidth, outChannels]
  std::int64_t sources, height, width, channels;
  std::int64_t outHeight, outWidth, outChannels;
  std::int64_t pad, cutout;
  bool reflect;

  template <typename Visit>
  void each_pointer(Visit visit) const {
    visit(source), visit(indices), visit(offsets), visit(flips), visit(cutouts), visit(table), visit(x);
  }
};

/// Images [first, first + count).
cudaError_t image_input(DType dtype, const ImageInput& a, std::int64_t first, std::int64_t count, cudaStream_t stream);

}  // namespace eraserelu::cuda
