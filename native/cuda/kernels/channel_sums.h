// Sums over everything but the channels, in two launches: one sum a piece and channel, then the sums of these.
// Each returns what its launch returned.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/kernels/pieces.h"

namespace eraserelu::cuda {

/// partial[piece][c] = Σ over the rows of the piece of x[…,c], for `count` pieces from `first`.
cudaError_t channel_sums(DType dtype, const void* x, const Pieces& pieces, std::int64_t first, std::int64_t count, float* partial,
                         cudaStream_t stream);

/// totals[k][c] = Σ over all pieces of partial[piece][k][c]; k is 0, or 0 and 1 if there is a second vector of totals.
cudaError_t sum_pieces(const float* partial, const Pieces& pieces, float* totals, float* secondTotals, cudaStream_t stream);

}  // namespace eraserelu::cuda
