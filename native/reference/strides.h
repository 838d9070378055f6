// Walking a tensor by the positions of another: broadcasting, reduction and slices.
#pragma once

#include "base/tensor_desc.h"

namespace eraserelu::reference {

/// Row-major strides, with 0 where the dimension is 1, so that it stretches.
inline Shape broadcast_strides(const Shape& shape) {
  Shape strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0; stride *= shape[i]) strides[i] = shape[i] == 1 ? 0 : stride;
  return strides;
}

/// Where element number `element` of a dense tensor `shape` lies in a tensor with `strides`.
inline std::int64_t strided_offset(std::int64_t element, const Shape& shape, const Shape& strides) {
  std::int64_t offset = 0;
  for (std::size_t i = shape.size(); i-- > 0; element /= shape[i]) offset += element % shape[i] * strides[i];
  return offset;
}

}  // namespace eraserelu::reference
