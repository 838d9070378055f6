// What our own convolutions work on.
#pragma once

#include <cstdint>

#include "base/tensor_desc.h"
#include "onednn/parallel.h"

namespace eraserelu::cpu {

/// Floats that channels take in Winograd's transformed tiles and filters: whole vectors, for all instruction sets the same. What is left
/// over is not used.
inline std::int64_t whole_vectors(std::int64_t channels) { return ceil_div(channels, 16) * 16; }

struct Plane {
  std::int64_t height, width, channels;

  std::int64_t lanes() const { return whole_vectors(channels); }
  std::int64_t image() const { return height * width * channels; }   // elements
};

inline Plane plane_of(const TensorDesc& tensor) { return {tensor.dim(1), tensor.dim(2), tensor.dim(3)}; }

struct ConvolutionOperands {
  const float* x;
  const float* filter;   // transformed
  const float* bias;     // or nullptr
  const float* addend;   // or nullptr; lies as y
  bool relu;
  float* y;
};

}  // namespace eraserelu::cpu
