// Batch norm forward. Each function returns what its launch returned.
#pragma once

#include <cuda_runtime_api.h>

#include "base/running_range.h"
#include "cuda/kernels/batch_norm_parameters.h"
#include "cuda/kernels/pieces.h"

namespace eraserelu::cuda {

/// What bn_stats leaves of a piece and channel: partial [piece][bnMoments][C].
constexpr int bnMoments = 3;

/// Reduces `count` pieces from `first`; `pitch`: elements from a row of x to the next.
cudaError_t bn_stats_pieces(DType dtype, const void* x, std::int64_t pitch, const Pieces& pieces, std::int64_t first,
                            std::int64_t count, float* partial, cudaStream_t stream);

struct BnStatistics {
  float* mean;
  float* invstd;
  float* variance;

  template <typename Visit>
  void each_pointer(Visit visit) const {
    visit(mean), visit(invstd), visit(variance);
  }
};

/// Combines all pieces.
cudaError_t bn_stats_combine(const float* partial, const Pieces& pieces, double epsilon, BnStatistics statistics,
                             cudaStream_t stream);

/// The variance that an inverse standard deviation was computed from.
cudaError_t bn_variance(const float* invstd, double epsilon, float* variance, std::int64_t channels, cudaStream_t stream);

/// y = act(batch norm of x + residual). The memory of y may be that of x or the residual.
struct BnApply {
  BnParameters parameters;
  const void* x;
  std::int64_t pitch;     // elements from a row of x to the next
  const void* residual;   // or nullptr
  void* y;
  std::uint8_t* mask;   // bits, as base/mask.h says; or nullptr
  bool relu;

  template <typename Visit>
  void each_pointer(Visit visit) const {
    parameters.each_pointer(visit);
    visit(x), visit(residual), visit(y), visit(mask);
  }
};

/// Rows [first, first + rows) of tensors [rows, C], of which x alone may have a pitch.
cudaError_t bn_apply(DType dtype, const BnApply& apply, std::int64_t channels, std::int64_t first, std::int64_t rows,
                     cudaStream_t stream);

/// The running statistics of all layers, updated in place unless state says that the step is skipped. `ranges` are in the device's
/// memory; the widest layer has `widest` channels.
cudaError_t bn_running_update(const float* statistics, const float* state, float* running, const RunningRange* ranges,
                              unsigned layers, std::int64_t widest, cudaStream_t stream);

}  // namespace eraserelu::cuda
