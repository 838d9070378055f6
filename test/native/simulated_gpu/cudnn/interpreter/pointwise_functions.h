// The pointwise modes: their names, how many tensors they read, and their formulas.
#pragma once

#include <cfloat>

#include "object.h"

namespace simulated_cudnn {

struct PointwiseMode {
  cudnnPointwiseMode_t mode;
  const char* name;   // as in the support table
  int inputs;
};

/// Throws NOT_SUPPORTED for a mode that the stand-in does not compute.
const PointwiseMode& pointwise_mode(cudnnPointwiseMode_t mode);

struct PointwiseParameters {
  cudnnPointwiseMode_t mode = CUDNN_POINTWISE_IDENTITY;
  double lowerClip = 0, upperClip = FLT_MAX, slope = 0;
  double eluAlpha = 1, softplusBeta = 1, swishBeta = 1;
};

PointwiseParameters pointwise_parameters(const Object& pointwise);

/// The operands in the order x, b, t; for an activation's gradient dy, x.
double pointwise_value(const PointwiseParameters& p, const double* in);

}  // namespace simulated_cudnn
