// A tensor whose parts are written at different times, such as the flat gradient, takes its memory piece by piece: before the first node
// that touches a piece, other tensors may be there.
#pragma once

#include <cstddef>
#include <vector>

namespace eraserelu {

/// A node reads or writes these bytes of a tensor.
struct Touch {
  std::size_t begin = 0;
  std::size_t end = 0;
  int node = 0;
};

/// Bytes of a tensor, and the first and last node that touches any of them.
struct Piece {
  std::size_t begin = 0;
  std::size_t end = 0;
  int first = 0;
  int last = 0;
};

/// The pieces, side by side from 0 to `bytes`: few, so that many small parts do not make planning slow. `touches` is not empty.
std::vector<Piece> pieces_of(std::size_t bytes, const std::vector<Touch>& touches);

}  // namespace eraserelu
