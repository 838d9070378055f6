// Places buffers with known lifetimes in one arena so that buffers alive at the same time never overlap.
#pragma once

#include <cstddef>
#include <vector>

namespace eraserelu {

struct Buffer {
  static constexpr std::size_t kAnywhere = static_cast<std::size_t>(-1);

  std::size_t bytes = 0;
  int first = 0;   // alive in steps first … last, both included
  int last = 0;
  std::size_t at = kAnywhere;   // its offset, where that is given
};

struct ArenaPlan {
  std::vector<std::size_t> offsets;   // one a buffer: as given, else multiples of kArenaAlignment
  std::size_t bytes = 0;              // of the whole arena
  std::size_t live_peak = 0;          // the largest sum of bytes alive in one step: no plan can be smaller
};

constexpr std::size_t kArenaAlignment = 64;

/// `guard` bytes stay unused behind every buffer (sentinel tests put a pattern there).
ArenaPlan plan_arena(const std::vector<Buffer>& buffers, std::size_t guard = 0);

}  // namespace eraserelu
