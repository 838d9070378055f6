#include "input/erase_rectangle.h"

#include <cmath>
#include <cstddef>
#include <optional>

#include "base/philox.h"

namespace eraserelu {

namespace {

double uniform(std::uint32_t word, double low, double high) { return low + (high - low) * (word * (1.0 / 4294967296.0)); }

int integer_below(std::uint32_t word, int n) { return static_cast<int>((std::uint64_t{word} * static_cast<std::uint32_t>(n)) >> 32); }

struct Rectangle {
  int top, left, height, width;
};

/// None where chance says so, or where ten that were tried did not fit. src/data/random_erasing.ts chooses the same.
std::optional<Rectangle> choose(const ErasingRule& rule, std::uint64_t seed, std::uint64_t epoch, std::uint64_t index, int height, int width) {
  const auto block = [&](std::uint64_t n) { return philox_block(seed, epoch, kImageErasingStream, 16 * index + n); };
  if (!(uniform(block(15).word[0], 0, 1) < rule.probability)) return std::nullopt;
  constexpr int kTries = 10;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const Philox4 random = block(static_cast<std::uint64_t>(attempt));
    const double area = static_cast<double>(height) * width * uniform(random.word[0], rule.min_scale, rule.max_scale);
    const double ratio = std::exp(uniform(random.word[1], std::log(rule.min_ratio), std::log(rule.max_ratio)));
    const double h = std::nearbyint(std::sqrt(area * ratio)), w = std::nearbyint(std::sqrt(area / ratio));
    if (!(h < height && w < width)) continue;
    const int rows = static_cast<int>(h), columns = static_cast<int>(w);
    return Rectangle{integer_below(random.word[2], height - rows + 1), integer_below(random.word[3], width - columns + 1), rows, columns};
  }
  return std::nullopt;
}

std::uint8_t* row_of(const Rectangle& erased, int y, std::uint8_t* pixels, int width) {
  return pixels + 3 * (static_cast<std::ptrdiff_t>(erased.top + y) * width + erased.left);
}

void fill(const Rectangle& erased, const std::array<std::uint8_t, 3>& colour, std::uint8_t* pixels, int width) {
  for (int y = 0; y < erased.height; ++y) {
    std::uint8_t* row = row_of(erased, y, pixels, width);
    for (int x = 0; x < erased.width; ++x)
      for (std::size_t c = 0; c < 3; ++c) row[3 * x + static_cast<int>(c)] = colour[c];
  }
}

}  // namespace

void erase_rectangle(const ErasingRule& rule, std::uint64_t seed, std::uint64_t epoch, std::uint64_t index, std::uint8_t* pixels, int height, int width) {
  const std::optional<Rectangle> erased = choose(rule, seed, epoch, index, height, width);
  if (!erased) return;
  if (!rule.noise) return fill(*erased, rule.colour, pixels, width);
  constexpr std::uint64_t kBlocks = 1 << 20;   // of noise an image; behind them it begins again
  Philox4 noise{};
  std::uint64_t drawn = 0;
  for (int y = 0; y < erased->height; ++y) {
    std::uint8_t* row = row_of(*erased, y, pixels, width);
    for (int i = 0; i < 3 * erased->width; ++i, ++drawn) {
      if (drawn % 16 == 0) noise = philox_block(seed, epoch, kImageNoiseStream, kBlocks * index + drawn / 16 % kBlocks);
      row[i] = static_cast<std::uint8_t>(noise.word[drawn % 16 / 4] >> (8 * (drawn % 4)));
    }
  }
}

}  // namespace eraserelu
