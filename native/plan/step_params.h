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
  kStateLossScale = 5,   // what the loss was multiplied with before the backward pass; 1 unless it grows and falls
  kStateGoodSteps = 6,   // finite steps since the loss scale last changed; 0 where it stays
  kStateSkippedInARow = 7,   // skipped steps since the last finite one
  kStateGrowthInterval = 8,  // finite steps after which the loss scale doubles; 0: it stays as it is
  kStateSize = 16
};

/// The loss scale grows no further: then already the smallest f16 number stands for a gradient of 2^-48.
constexpr float kLargestLossScale = 16777216.0f;

}  // namespace eraserelu
