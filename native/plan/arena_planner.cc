#include "plan/arena_planner.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

namespace eraserelu {

namespace {

std::size_t round_up(std::size_t bytes) { return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }

bool overlap(const Buffer& a, const Buffer& b) { return a.first <= b.last && b.first <= a.last; }

struct Placed {
  std::size_t begin;
  std::size_t end;
  int index;
};

/// Places the buffers in the given order, each into the tightest gap among those already placed that live at the same time.
std::vector<std::size_t> place_in_order(const std::vector<Buffer>& buffers, const std::vector<std::size_t>& sizes,
                                        const std::vector<int>& order) {
  std::vector<std::size_t> offsets(buffers.size(), 0);
  std::vector<Placed> placed;   // sorted by begin
  placed.reserve(buffers.size());
  for (int index : order) {
    const std::size_t size = sizes[index];
    std::size_t best = std::numeric_limits<std::size_t>::max();
    std::size_t best_gap = std::numeric_limits<std::size_t>::max();
    std::size_t cursor = 0;
    for (const Placed& other : placed) {
      if (!overlap(buffers[index], buffers[other.index])) continue;
      if (other.begin >= cursor + size && other.begin - cursor < best_gap) {
        best = cursor;
        best_gap = other.begin - cursor;
      }
      cursor = std::max(cursor, other.end);
    }
    if (best == std::numeric_limits<std::size_t>::max()) best = cursor;
    offsets[index] = best;
    const Placed entry{best, best + size, index};
    placed.insert(std::upper_bound(placed.begin(), placed.end(), entry,
                                   [](const Placed& a, const Placed& b) { return a.begin < b.begin; }),
                  entry);
  }
  return offsets;
}

std::size_t live_peak_of(const std::vector<Buffer>& buffers, const std::vector<std::size_t>& sizes) {
  int steps = 0;
  for (const Buffer& buffer : buffers) steps = std::max(steps, buffer.last + 1);
  std::vector<long long> change(static_cast<std::size_t>(steps) + 1, 0);
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    change[buffers[i].first] += static_cast<long long>(sizes[i]);
    change[buffers[i].last + 1] -= static_cast<long long>(sizes[i]);
  }
  long long alive = 0, peak = 0;
  for (long long delta : change) peak = std::max(peak, alive += delta);
  return static_cast<std::size_t>(peak);
}

}  // namespace

ArenaPlan plan_arena(const std::vector<Buffer>& buffers, std::size_t guard) {
  std::vector<std::size_t> sizes;
  for (const Buffer& buffer : buffers) sizes.push_back(buffer.bytes == 0 ? 0 : round_up(buffer.bytes + guard));

  // Greedy by size is nearly always best; by lifetime and by size times lifetime win on the odd graph. Keep the smallest.
  const auto lifetime = [&](int i) { return static_cast<double>(buffers[i].last - buffers[i].first + 1); };
  const std::function<double(int)> keys[] = {
      [&](int i) { return static_cast<double>(sizes[i]); },
      [&](int i) { return static_cast<double>(sizes[i]) * lifetime(i); },
      [&](int i) { return lifetime(i); },
      [&](int i) { return -static_cast<double>(buffers[i].first); },
  };
  ArenaPlan plan;
  plan.live_peak = live_peak_of(buffers, sizes);
  plan.bytes = std::numeric_limits<std::size_t>::max();
  std::vector<int> order(buffers.size());
  for (const auto& key : keys) {
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return key(a) > key(b); });
    std::vector<std::size_t> offsets = place_in_order(buffers, sizes, order);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < buffers.size(); ++i) bytes = std::max(bytes, offsets[i] + sizes[i]);
    if (bytes < plan.bytes) {
      plan.bytes = bytes;
      plan.offsets = std::move(offsets);
    }
    if (plan.bytes <= plan.live_peak) break;
  }
  return plan;
}

}  // namespace eraserelu
