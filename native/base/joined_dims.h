// Walking a tensor whose operands stretch over some dimensions: as few dimensions as possible, of which the last is a run
// for a plain loop and the others, the outer part, are unravelled.
#pragma once

#include <vector>

#include "base/tensor_desc.h"

namespace eraserelu {

/// Dimensions that an operand treats alike, joined: [N,H,W,C] against [1,1,1,C] becomes [N·H·W, C].
struct JoinedDims {
  Shape shape;
  std::vector<bool> kept[2];   // by operand: whether it has the dimension (otherwise it has 1 and stretches)

  JoinedDims(const Shape& whole, const Shape& first, const Shape& second) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      if (whole[i] == 1) continue;
      const bool a = first[i] != 1, b = second[i] != 1;
      if (!shape.empty() && kept[0].back() == a && kept[1].back() == b) {
        shape.back() *= whole[i];
      } else {
        shape.push_back(whole[i]);
        kept[0].push_back(a), kept[1].push_back(b);
      }
    }
    if (shape.empty()) shape = {1}, kept[0] = kept[1] = {true};
  }

  /// Strides of an operand in the joined dimensions, 0 where it stretches.
  Shape strides(int operand) const {
    Shape result(shape.size());
    std::int64_t stride = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      result[i] = kept[operand][i] ? stride : 0;
      if (kept[operand][i]) stride *= shape[i];
    }
    return result;
  }
};

/// Where index number `outer` of all dimensions but the last lies.
inline std::int64_t outer_offset(std::int64_t outer, const Shape& shape, const Shape& strides) {
  std::int64_t offset = 0;
  for (std::size_t i = shape.size() - 1; i-- > 0; outer /= shape[i]) offset += outer % shape[i] * strides[i];
  return offset;
}

}  // namespace eraserelu
