// Winograd's convolution F(4x4, 3x3): 4x4 pixels of output come from 6x6 of input with 36 multiplications a pair of channels instead of 144
// (Lavin and Gray, arXiv 1509.09308).
//
//   V = Bᵀ x B      of each tile of the input (6x6 pixels), once a channel
//   U = G w Gᵀ      of each filter (3x3), once a pair of channels
//   M = V · U       at each of the 36 positions of a tile a product of matrices, [tiles, channels] · [channels, filters]
//   y = Aᵀ M A      of each tile of the output (4x4 pixels), once a filter
//
// All of it is linear in w, so the filter's gradient is the same backwards: E = A dy Aᵀ, then Eᵀ · V at each position, summed over all tiles,
// then dw = Gᵀ (…) G.
//
// Tiles are taken a block at a time, so that what lies between input and output stays in the second-level cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "onednn/own_convolution.h"
#include "onednn/simd/loops.h"
#include "onednn/winograd_tiles.h"

namespace eraserelu::cpu {

/// A 3x3 convolution with stride 1; for backward data from dy to dx.
struct WinogradShape {
  Plane x, y;
  std::int64_t padTop, padLeft;
  bool backward;   // data: the filter is read with its channels exchanged and its taps in the opposite order
};

class Winograd {
 public:
  explicit Winograd(const WinogradShape& shape);

  std::size_t filter_bytes() const;    // of the transformed filter
  std::size_t scratch_bytes() const;   // of all threads
  void bind(void* scratch) { scratch_ = static_cast<float*>(scratch); }

  /// w: dense KRSC as the convolution has it, also for backward data.
  void transform_filter(const float* w, float* transformed) const;
  void run(const ConvolutionOperands& operands, std::int64_t images) const;

 private:
  struct Block;
  void transform_input(const ConvolutionOperands& operands, const Block& block) const;
  void multiply(const ConvolutionOperands& operands, const Block& block) const;
  void transform_output(const ConvolutionOperands& operands, const Block& block) const;
  std::int64_t filter_position() const { return position_of(shape_.x.channels, shape_.y.lanes()); }
  std::int64_t thread_floats() const;

  WinogradShape shape_;
  Tiles tiles_;
  std::int64_t blockTiles_;
  std::vector<float> zeros_;   // a pixel outside the image
  float* scratch_ = nullptr;
};

/// Transforms the 6x6 pixels of tiles [first, first + count) of x into `tiles`, positions of [count, lanes].
void transform_tiles(const WinogradShape& shape, const Tiles& grid, const float* x, const std::vector<float>& zeros, std::int64_t first,
                     std::int64_t count, float* tiles, std::int64_t position);

}  // namespace eraserelu::cpu
