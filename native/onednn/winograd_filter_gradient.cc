#include "onednn/winograd_filter_gradient.h"

#include <algorithm>

#include "onednn/parallel.h"

namespace eraserelu::cpu {

namespace {

constexpr std::int64_t kCachedSums = 1 << 18;   // floats: 1 MB

/// Sums that stay in the second-level cache leave little room for tiles; others are worth more tiles a block, as each block reads them.
std::int64_t tiles_of_block(const WinogradShape& shape) {
  return kPositions * shape.x.lanes() * shape.y.channels <= kCachedSums ? 48 : 160;
}

}  // namespace

WinogradFilterSums::WinogradFilterSums(const WinogradShape& shape)
    : shape_(shape),
      tiles_(shape.y),
      blockTiles_(tiles_of_block(shape)),
      zeros_(static_cast<std::size_t>(std::max(shape.x.channels, shape.y.channels))),
      parts_(worker_threads()) {}

std::int64_t WinogradFilterSums::part_floats() const {
  return kPositions * (sums_position() + position_of(blockTiles_, shape_.x.lanes()) + position_of(blockTiles_, shape_.y.lanes()));
}

std::size_t WinogradFilterSums::scratch_bytes() const {
  return static_cast<std::size_t>(parts_ * part_floats()) * sizeof(float);
}

void WinogradFilterSums::add(const float* x, const float* dy, std::int64_t images, bool afresh) {
  const std::int64_t tiles = images * tiles_.per_image();
  parallel_for(parts_, tiles * kPositions * shape_.x.channels, [&](std::int64_t part, int) {
    const std::int64_t begin = tiles * part / parts_, end = tiles * (part + 1) / parts_;
    if (afresh && begin == end) std::fill_n(part_memory(part), kPositions * sums_position(), 0.0f);
    for (std::int64_t first = begin; first < end; first += blockTiles_)
      add_block(x, dy, first, std::min(blockTiles_, end - first), part, !afresh || first > begin);
  });
}

void WinogradFilterSums::add_block(const float* x, const float* dy, std::int64_t first, std::int64_t count, std::int64_t part,
                                   bool more) {
  const WinogradLoops& loops = best_loops().winograd;
  const std::int64_t columns = shape_.x.lanes(), rows = shape_.y.channels, row = shape_.y.lanes();
  float* sums = part_memory(part);
  float* inputs = sums + kPositions * sums_position();
  float* gradients = inputs + kPositions * position_of(blockTiles_, columns);
  transform_tiles(shape_, tiles_, x, zeros_, first, count, inputs, position_of(blockTiles_, columns));
  for (std::int64_t i = 0; i < count; ++i) {
    const float* pixels[16];
    tiles_.each_pixel<4>(first + i, shape_.y, 0, 0,
                         [&](int at, std::int64_t offset) { pixels[at] = offset < 0 ? zeros_.data() : dy + offset; });
    loops.gradient(pixels, shape_.y.channels, gradients + i * row, position_of(blockTiles_, row));
  }
  for (std::int64_t position = 0; position < kPositions; ++position)
    loops.multiply({gradients + position * position_of(blockTiles_, row), 1, row,
                    inputs + position * position_of(blockTiles_, columns), columns, sums + position * sums_position(), columns, rows,
                    columns, count, more});
}

void WinogradFilterSums::write(float* dw) const {
  const std::int64_t channels = shape_.x.channels, filters = shape_.y.channels;
  parallel_for(filters, kPositions * channels * filters, [&](std::int64_t filter, int) {
    const float* sums = scratch_ + filter * shape_.x.lanes();
    best_loops().winograd.filter_gradient({sums, parts_, part_floats(), channels, dw + filter * 9 * channels}, sums_position());
  });
}

}  // namespace eraserelu::cpu
