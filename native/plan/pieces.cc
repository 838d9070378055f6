#include "plan/pieces.h"

#include <algorithm>
#include <limits>

namespace eraserelu {

namespace {

constexpr std::size_t kMostPieces = 64;

/// `a`, made longer by `b`, which follows it.
Piece joined(const Piece& a, const Piece& b) { return {a.begin, b.end, std::min(a.first, b.first), std::max(a.last, b.last)}; }

/// Where touched ranges begin or end, from 0 to `bytes`.
std::vector<std::size_t> bounds_of(std::size_t bytes, const std::vector<Touch>& touches) {
  std::vector<std::size_t> bounds{0, bytes};
  for (const Touch& touch : touches) {
    bounds.push_back(touch.begin);
    bounds.push_back(touch.end);
  }
  std::sort(bounds.begin(), bounds.end());
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  return bounds;
}

}  // namespace

std::vector<Piece> pieces_of(std::size_t bytes, const std::vector<Touch>& touches) {
  const std::vector<std::size_t> bounds = bounds_of(bytes, touches);
  // What nothing touches lives for no time: it joins a neighbour.
  std::vector<Piece> ranges;
  for (std::size_t i = 0; i + 1 < bounds.size(); ++i) ranges.push_back({bounds[i], bounds[i + 1], std::numeric_limits<int>::max(), -1});
  for (const Touch& touch : touches) {
    auto at = std::lower_bound(bounds.begin(), bounds.end(), touch.begin) - bounds.begin();
    for (; static_cast<std::size_t>(at) < ranges.size() && ranges[at].begin < touch.end; ++at) {
      ranges[at].first = std::min(ranges[at].first, touch.node);
      ranges[at].last = std::max(ranges[at].last, touch.node);
    }
  }
  std::vector<Piece> pieces;
  for (const Piece& range : ranges) {
    const bool joins = !pieces.empty() && (pieces.back().end - pieces.back().begin < bytes / kMostPieces || range.last < 0);
    if (joins) pieces.back() = joined(pieces.back(), range);
    else pieces.push_back(range);
  }
  if (pieces.size() > 1 && pieces.front().last < 0) {
    pieces[1] = joined(pieces[0], pieces[1]);
    pieces.erase(pieces.begin());
  }
  return pieces;
}

}  // namespace eraserelu
