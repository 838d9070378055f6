// The update section: gradient norm and state, the optimizers, the average of the weights. Everything is f32 but gradients,
// which may be f32, bf16 or f16. `state` (only grad_norm writes it) and `step` are in the device's memory. Where
// state[kStateFinite] is 0 the others change nothing. Each returns what the first launch that failed returned.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "base/optimizer_formulas.h"
#include "base/tensor_desc.h"
#include "plan/step_params.h"

namespace eraserelu::cuda {

/// How many sums sum_of_squares writes.
std::int64_t norm_pieces(std::int64_t elements);

/// Sums of the gradient's squares, piece by piece.
cudaError_t sum_of_squares(DType dtype, const void* gradient, std::int64_t elements, double* sums, cudaStream_t stream);

/// From all sums of all gradients. `loss` may be nullptr.
cudaError_t grad_norm(const double* sums, std::int64_t count, const float* loss, double maxNorm, const StepParams* step,
                      float* state, cudaStream_t stream);

/// Elements [begin, end) of the arena, of one parameter group; they belong to the blocks from firstBlock on.
struct UpdateRange {
  std::int64_t begin, end;
  float weightDecay;
  std::int32_t group;
  std::int32_t firstBlock;
};

/// How many blocks work on [begin, end).
std::int32_t update_blocks(std::int64_t begin, std::int64_t end);

/// What both optimizers need.
struct Update {
  const void* gradient;
  const float* state;
  const StepParams* step;
  float* weights;
  const UpdateRange* ranges;   // in the device's memory, in the order of firstBlock
  std::int32_t rangeCount;
  std::int32_t blocks;         // of all ranges

  template <typename Visit>
  void each_pointer(Visit visit) const {
    visit(gradient), visit(state), visit(step), visit(weights), visit(ranges);
  }
};

struct Sgd {
  float momentum;
  float dampening;
  bool nesterov;
  float* velocity;   // or nullptr

  template <typename Visit>
  void each_pointer(Visit visit) const {
    visit(velocity);
  }
};
cudaError_t sgd_update(DType gradientType, const Update& update, const Sgd& sgd, cudaStream_t stream);

struct Adamw {
  double beta1;
  double beta2;
  float epsilon;
  float* m;
  float* v;

  template <typename Visit>
  void each_pointer(Visit visit) const {
    visit(m), visit(v);
  }
};
cudaError_t adamw_update(DType gradientType, const Update& update, const Adamw& adamw, cudaStream_t stream);

cudaError_t ema_update(const float* weights, const float* state, float* ema, float fresh, std::int64_t elements,
                       cudaStream_t stream);

}  // namespace eraserelu::cuda
