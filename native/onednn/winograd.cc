#include "onednn/winograd.h"

#include <algorithm>

#include "onednn/parallel.h"

namespace eraserelu::cpu {

namespace {

constexpr std::int64_t kBlockFloats = 1 << 19;   // of a thread's tiles and products: 2 MB
constexpr std::int64_t kFewestTiles = 42, kMostTiles = 84;   // a block; multiples of the rows of `multiply`

}  // namespace

/// Consecutive tiles, counted through all images, with the memory of their thread.
struct Winograd::Block {
  std::int64_t first, count;
  float* tiles;
  float* products;
};

Winograd::Winograd(const WinogradShape& shape)
    : shape_(shape),
      tiles_(shape.y),
      blockTiles_(std::clamp(kBlockFloats / (kPositions * (shape.x.lanes() + shape.y.lanes())), kFewestTiles, kMostTiles)),
      zeros_(static_cast<std::size_t>(shape.x.channels)) {}

std::int64_t Winograd::thread_floats() const {
  return kPositions * (position_of(blockTiles_, shape_.x.lanes()) + position_of(blockTiles_, shape_.y.lanes()));
}

std::size_t Winograd::filter_bytes() const { return static_cast<std::size_t>(kPositions * filter_position()) * sizeof(float); }

std::size_t Winograd::scratch_bytes() const { return static_cast<std::size_t>(worker_threads() * thread_floats()) * sizeof(float); }

/// At each position panels of filters, as wide as `multiply` likes; a panel is [channels, lanes of the panel].
void Winograd::transform_filter(const float* w, float* transformed) const {
  const WinogradLoops& loops = best_loops().winograd;
  const std::int64_t channels = shape_.x.channels, filters = shape_.y.channels;
  parallel_for(ceil_div(filters, loops.panel) * channels, kPositions * channels * filters, [&](std::int64_t at, int) {
    const std::int64_t first = at / channels * loops.panel, channel = at % channels;
    const std::int64_t count = std::min(loops.panel, filters - first), width = std::min(loops.panel, shape_.y.lanes() - first);
    const WinogradFilter from = shape_.backward ? WinogradFilter{w + (channel * 9 + 8) * filters + first, 1, -filters}
                                                : WinogradFilter{w + first * 9 * channels + channel, 9 * channels, channels};
    loops.filter(from, count, transformed + first * channels + channel * width, filter_position());
  });
}

void Winograd::run(const ConvolutionOperands& operands, std::int64_t images) const {
  const std::int64_t tiles = images * tiles_.per_image(), threads = worker_threads();
  const std::int64_t blocks = ceil_div(ceil_div(tiles, blockTiles_), threads) * threads;   // the same for every thread
  parallel_for(blocks, tiles * kPositions * shape_.x.channels, [&](std::int64_t block, int thread) {
    const std::int64_t first = tiles * block / blocks, end = tiles * (block + 1) / blocks;
    float* memory = scratch_ + thread * thread_floats();
    const Block work{first, end - first, memory, memory + kPositions * position_of(blockTiles_, shape_.x.lanes())};
    transform_input(operands, work);
    multiply(operands, work);
    transform_output(operands, work);
  });
}

void transform_tiles(const WinogradShape& shape, const Tiles& grid, const float* x, const std::vector<float>& zeros, std::int64_t first,
                     std::int64_t count, float* tiles, std::int64_t position) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float* pixels[kPositions];
    grid.each_pixel<6>(first + i, shape.x, shape.padTop, shape.padLeft,
                       [&](int at, std::int64_t offset) { pixels[at] = offset < 0 ? zeros.data() : x + offset; });
    best_loops().winograd.input(pixels, shape.x.channels, tiles + i * shape.x.lanes(), position);
  }
}

void Winograd::transform_input(const ConvolutionOperands& operands, const Block& block) const {
  transform_tiles(shape_, tiles_, operands.x, zeros_, block.first, block.count, block.tiles, position_of(blockTiles_, shape_.x.lanes()));
}

void Winograd::multiply(const ConvolutionOperands& operands, const Block& block) const {
  const WinogradLoops& loops = best_loops().winograd;
  const std::int64_t channels = shape_.x.channels, tile = shape_.x.lanes(), product = shape_.y.lanes();
  for (std::int64_t position = 0; position < kPositions; ++position)
    for (std::int64_t first = 0; first < shape_.y.channels; first += loops.panel) {
      const std::int64_t width = std::min(loops.panel, product - first);
      const float* tiles = block.tiles + position * position_of(blockTiles_, tile);
      const float* filter = operands.filter + position * filter_position() + first * channels;
      float* products = block.products + position * position_of(blockTiles_, product) + first;
      loops.multiply({tiles, tile, 1, filter, width, products, product, block.count, width, channels, false});
    }
}

void Winograd::transform_output(const ConvolutionOperands& operands, const Block& block) const {
  for (std::int64_t i = 0; i < block.count; ++i) {
    WinogradOutput out{block.products + i * shape_.y.lanes(), shape_.y.channels, operands.bias, operands.addend, operands.relu, {}, operands.y};
    tiles_.each_pixel<4>(block.first + i, shape_.y, 0, 0, [&](int at, std::int64_t offset) { out.pixels[at] = offset; });
    best_loops().winograd.output(out, position_of(blockTiles_, shape_.y.lanes()));
  }
}

}  // namespace eraserelu::cpu
