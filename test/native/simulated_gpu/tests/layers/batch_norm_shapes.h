// The shapes that batch norm is tested with.
#pragma once

#include "cuda/kernels/pieces.h"

using namespace eraserelu;

struct BnShape {
  std::int64_t batch, rows, channels;   // rows: of an image

  std::int64_t values() const { return batch * rows; }
  std::int64_t elements() const { return values() * channels; }
  TensorDesc tensor(DType dtype) const {
    TensorDesc desc;
    desc.dtype = dtype;
    desc.shape = {batch, rows, channels};
    return desc;
  }
};

/// One channel, packs of every type, channels that fit no pack, blocks side by side, several pieces an image, flat features.
constexpr BnShape bnShapes[] = {{5, 9, 1},   {3, 35, 3},   {4, 16, 8},   {2, 36, 36},
                                {2, 3, 300}, {2, 40, 257}, {3, 700, 24}, {16, 1, 12}};
