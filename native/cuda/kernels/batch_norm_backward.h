// Batch norm backward. g is the gradient that passed the activation. Each function returns what its launch returned.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/kernels/batch_norm_parameters.h"
#include "cuda/kernels/pieces.h"

namespace eraserelu::cuda {

/// What every gradient reads. With relu and no mask, elements are active where batch norm's value is positive.
struct BnBackward {
  BnParameters parameters;
  const void* dy;
  const void* x;
  std::int64_t pitch;         // elements from a row of x to the next
  const std::uint8_t* mask;   // bits, or nullptr
  bool relu;

  template <typename Visit>
  void each_pointer(Visit visit) const {
    parameters.each_pointer(visit);
    visit(dy), visit(x), visit(mask);
  }
};

/// partial [piece][2][C]: the sums of g, and those of g·(x - mean)·invstd, for `count` pieces from `first`. sum_pieces makes
/// dbeta and dgamma of them.
cudaError_t bn_bwd_pieces(DType dtype, const BnBackward& backward, const Pieces& pieces, std::int64_t first, std::int64_t count,
                          float* partial, cudaStream_t stream);

/// The memory of dx may be that of dy.
struct BnInputGradient {
  const float* dgamma;   // or nullptr: the statistics are constants
  const float* dbeta;    // likewise
  float values;          // a channel, in the batch
  void* dx;
  void* dresidual;   // or nullptr

  template <typename Visit>
  void each_pointer(Visit visit) const {
    visit(dgamma), visit(dbeta), visit(dx), visit(dresidual);
  }
};

/// Rows [first, first + rows) of tensors [rows, C], of which x alone may have a pitch.
cudaError_t bn_bwd_apply(DType dtype, const BnBackward& backward, const BnInputGradient& gradient, std::int64_t channels,
                         std::int64_t first, std::int64_t rows, cudaStream_t stream);

}  // namespace eraserelu::cuda
