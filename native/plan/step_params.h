// What changes from step to step: the host part of the device struct of a plan, and the state that only `update` writes.
#pragma once

#include <cstdint>

namespace eraserelu {

constexpr int kMaxGroups = 16;   // parameter groups of an optimizer

/// Written by the host before a step; kernels hold a pointer to it from bind to the end of the plan.
struct StepParams {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;          // counts optimizer steps; part of the Philox counter
  std::int32_t micro = 0;          // which replay of the gradient section this is: 0 … microCount-1
  std::int32_t microCount = 1;
  float learningRate[kMaxGroups] = {};   // per parameter group
};

/// Indices into the tensor `state` (f32[kStateSize], lives in the store). Only gradNorm writes it.
enum StateIndex {
  kStateFinite = 0,      // 1 when loss and gradient norm of this step were finite, else 0: then update changes nothing
  kStateScale = 1,       // what every gradient is multiplied with: clip / (loss scale * microCount)
  kStateNorm = 2,        // the norm of the mean gradient, before clipping
  kStateUpdates = 3,     // how many updates were applied so far, this one included (AdamW's t)
  kStateSkipped = 4,     // how many were skipped because something was not finite
  kStateLossScale = 5,   // 1 under the f32 policy
  kStateSize = 16
};

}  // namespace eraserelu
