#include "plan/arena_planner.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>

namespace eraserelu {

namespace {

std::size_t round_up(std::size_t bytes) { return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }

bool is_free(const Buffer& buffer) { return buffer.at == Buffer::kAnywhere; }

bool overlap(const Buffer& a, const Buffer& b) { return a.first <= b.last && b.first <= a.last; }

struct Placed {
  std::size_t begin;
  std::size_t end;
  int index;
};

/// Free buffers to be placed one after the other, each at the lower or the upper end of its gap.
struct Order {
  std::vector<int> indices;
  std::vector<bool> high;   // by index
};

/// Places buffers below `limit` where they fit, and above it where they do not.
class Placement {
 public:
  Placement(const std::vector<Buffer>& buffers, const std::vector<std::size_t>& sizes, std::size_t limit)
      : buffers_(buffers), sizes_(sizes), limit_(limit) {}

  /// Each buffer goes into the tightest gap among those already placed that live at the same time. Returns the bytes of the arena.
  std::size_t place(const Order& order) {
    std::vector<Placed> placed;   // sorted by begin
    placed.reserve(buffers_.size());
    offsets_.assign(buffers_.size(), 0);
    std::size_t bytes = 0;
    const auto put = [&](const Placed& entry) {
      bytes = std::max(bytes, entry.end);
      placed.insert(std::upper_bound(placed.begin(), placed.end(), entry,
                                     [](const Placed& a, const Placed& b) { return a.begin < b.begin; }),
                    entry);
    };
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      const Buffer& buffer = buffers_[i];
      if (is_free(buffer)) continue;
      offsets_[i] = buffer.at;
      put({buffer.at / kArenaAlignment * kArenaAlignment, round_up(buffer.at + buffer.bytes), static_cast<int>(i)});
    }
    for (int index : order.indices) {
      const Placed entry = place(index, order.high[index], placed);
      offsets_[index] = entry.begin;
      put(entry);
    }
    return bytes;
  }

  const std::vector<std::size_t>& offsets() const { return offsets_; }
  bool above_limit(int index) const { return offsets_[index] + sizes_[index] > limit_; }

 private:
  Placed place(int index, bool high, const std::vector<Placed>& placed) const {
    const std::size_t size = sizes_[index];
    std::size_t best = kNowhere, best_gap = kNowhere, cursor = 0;
    const auto consider = [&](std::size_t end) {
      if (end < cursor + size || end - cursor >= best_gap) return;
      best = high ? end - size : cursor;
      best_gap = end - cursor;
    };
    for (const Placed& other : placed) {
      if (!overlap(buffers_[index], buffers_[other.index])) continue;
      consider(other.begin);
      cursor = std::max(cursor, other.end);
    }
    consider(limit_);
    const std::size_t begin = best == kNowhere ? cursor : best;
    return {begin, begin + size, index};
  }

  static constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

  const std::vector<Buffer>& buffers_;
  const std::vector<std::size_t>& sizes_;
  const std::size_t limit_;
  std::vector<std::size_t> offsets_;
};

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

/// A small change of an order: a buffer that found no room below the limit, or one that lives at the same time, is placed earlier or at
/// the other end of its gap.
class Changes {
 public:
  explicit Changes(const std::vector<Buffer>& buffers) : buffers_(buffers) {}

  void change(Order& order, const Placement& placement) {
    std::vector<int> homeless;
    for (int index : order.indices)
      if (placement.above_limit(index)) homeless.push_back(index);
    if (homeless.empty()) return;   // it is those with a given offset that lie too high
    const int one = pick(homeless);
    std::vector<int> neighbours;
    for (std::size_t i = 0; i < buffers_.size(); ++i)
      if (static_cast<int>(i) != one && is_free(buffers_[i]) && overlap(buffers_[i], buffers_[one]) && buffers_[i].bytes >= buffers_[one].bytes / 4)
        neighbours.push_back(static_cast<int>(i));
    for (std::uint32_t moves = 1 + draw() % 3; moves > 0; --moves) {
      const int moved = neighbours.empty() || draw() % 4 == 0 ? one : pick(neighbours);
      if (draw() % 2 == 0) order.high[moved] = !order.high[moved];
      else {
        const auto from = std::find(order.indices.begin(), order.indices.end(), moved);
        const auto place = static_cast<std::uint32_t>(from - order.indices.begin());
        std::rotate(order.indices.begin() + (place > 0 ? draw() % place : 0), from, from + 1);
      }
    }
  }

 private:
  int pick(const std::vector<int>& from) { return from[draw() % from.size()]; }
  std::uint32_t draw() { return (state_ = state_ * 1664525u + 1013904223u) >> 8; }   // always the same: plans are reproducible

  const std::vector<Buffer>& buffers_;
  std::uint32_t state_ = 1;
};

/// How often an order is changed: fewer times for many buffers, whose placement takes time by the square of their number.
int rounds_for(std::size_t buffers) {
  constexpr std::size_t kWork = 400'000'000;
  return static_cast<int>(std::clamp<std::size_t>(kWork / (buffers * buffers + 1), 1, 2000));
}

}  // namespace

ArenaPlan plan_arena(const std::vector<Buffer>& buffers, std::size_t guard) {
  std::vector<std::size_t> sizes;
  for (const Buffer& buffer : buffers) sizes.push_back(buffer.bytes == 0 ? 0 : round_up(buffer.bytes + guard));

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
  Placement placement(buffers, sizes, plan.live_peak);
  const auto try_order = [&](const Order& order) {
    const std::size_t bytes = placement.place(order);
    if (bytes < plan.bytes) {
      plan.bytes = bytes;
      plan.offsets = placement.offsets();
    }
    return bytes;
  };

  // Greedy by size is nearly always best; the others win on the odd graph.
  std::vector<Order> orders;
  for (const auto& key : keys) {
    Order order{{}, std::vector<bool>(buffers.size(), false)};
    for (std::size_t i = 0; i < buffers.size(); ++i)
      if (is_free(buffers[i])) order.indices.push_back(static_cast<int>(i));
    std::stable_sort(order.indices.begin(), order.indices.end(), [&](int a, int b) { return key(a) > key(b); });
    if (try_order(order) <= plan.live_peak) return plan;
    orders.push_back(std::move(order));
  }
  // Where none comes near the peak, each is improved by small changes that do not make it worse; the order in time is the most open to them.
  const std::size_t near = plan.live_peak + plan.live_peak / 100;
  if (plan.bytes <= near) return plan;
  Changes changes(buffers);
  std::reverse(orders.begin(), orders.end());
  for (Order& order : orders) {
    std::size_t least = placement.place(order);
    for (int round = rounds_for(buffers.size()); round > 0; --round) {
      Order changed = order;
      changes.change(changed, placement);
      const std::size_t bytes = try_order(changed);
      if (bytes <= near) return plan;
      if (bytes > least) {
        placement.place(order);
        continue;
      }
      least = bytes;
      order = std::move(changed);
    }
  }
  return plan;
}

}  // namespace eraserelu
