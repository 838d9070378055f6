// One element of each optimizer and of the weight average, and the step's scalars that gradNorm derives.
// Every backend runs these very lines.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/host_device.h"
#include "plan/step_params.h"

namespace eraserelu {

template <typename Real>
struct SgdParams {
  Real scale;          // state[kStateScale]
  Real learningRate;
  Real weightDecay;
  Real momentum;
  Real dampening;
  bool nesterov;
  bool first;          // the very first applied update: velocity starts as the gradient
};

template <typename Real>
ERASERELU_HD Real sgd_gradient(const SgdParams<Real>& p, Real gradient, Real weight) {
  return gradient * p.scale + p.weightDecay * weight;
}

/// Without velocity.
template <typename Real>
ERASERELU_HD Real sgd_weight(const SgdParams<Real>& p, Real gradient, Real weight) {
  return weight - p.learningRate * sgd_gradient(p, gradient, weight);
}

/// With velocity, which is updated in place; returns the new weight.
template <typename Real>
ERASERELU_HD Real sgd_momentum_weight(const SgdParams<Real>& p, Real gradient, Real weight, Real& velocity) {
  const Real g = sgd_gradient(p, gradient, weight);
  velocity = p.first ? g : p.momentum * velocity + (Real(1) - p.dampening) * g;
  return weight - p.learningRate * (p.nesterov ? g + p.momentum * velocity : velocity);
}

template <typename Real>
struct AdamwParams {
  Real scale;
  Real learningRate;
  Real weightDecay;
  Real beta1;
  Real beta2;
  Real fresh1;        // 1 - beta1 and 1 - beta2, from double: in float they would lose digits
  Real fresh2;
  Real epsilon;
  Real correction1;   // 1 - beta1^t, see adamw_correction
  Real correction2;   // 1 - beta2^t
};

/// 1 - beta^t, in double: in float it would lose most digits at small t.
ERASERELU_HD double adamw_correction(double beta, double t) { return 1.0 - std::pow(beta, t); }

/// Updates both moments in place; returns the new weight.
template <typename Real>
ERASERELU_HD Real adamw_weight(const AdamwParams<Real>& p, Real gradient, Real weight, Real& m, Real& v) {
  const Real g = gradient * p.scale;
  m = p.beta1 * m + p.fresh1 * g;
  v = p.beta2 * v + p.fresh2 * g * g;
  const Real decayed = weight - p.learningRate * p.weightDecay * weight;
  return decayed - p.learningRate * (m / p.correction1) / (std::sqrt(v / p.correction2) + p.epsilon);
}

/// The moving average (1 - fresh)·average + fresh·value: ema with fresh = 1 - decay, running statistics with fresh = momentum.
template <typename Real>
ERASERELU_HD Real moving_average(Real average, Real value, Real fresh) {
  return (Real(1) - fresh) * average + fresh * value;
}

/// A biased variance of `count` values made unbiased.
ERASERELU_HD double unbiased_variance(double variance, double count) { return variance * count / (count - 1); }

/// Dynamic loss scaling: half the scale (not below 1) after a step that was not finite, twice after `growth interval` finite ones.
ERASERELU_HD void update_loss_scale(float* state, bool finite) {
  if (state[kStateGrowthInterval] == 0) return;
  const float scale = state[kStateLossScale];
  state[kStateGoodSteps] = finite ? state[kStateGoodSteps] + 1.0f : 0.0f;
  if (!finite) state[kStateLossScale] = scale > 2.0f ? scale / 2 : 1.0f;
  if (state[kStateGoodSteps] < state[kStateGrowthInterval]) return;
  state[kStateGoodSteps] = 0.0f;
  state[kStateLossScale] = scale < kLargestLossScale / 2 ? scale * 2 : kLargestLossScale;
}

/// What gradNorm writes, from the sum of squares of the raw (scaled, summed over microbatches) gradient.
ERASERELU_HD void update_state(float* state, double sumOfSquares, bool lossFinite, double maxNorm, int microCount) {
  const double divisor = static_cast<double>(state[kStateLossScale]) * microCount;
  const double norm = std::sqrt(sumOfSquares) / divisor;
  const bool finite = lossFinite && std::isfinite(norm);
  const double clip = maxNorm > 0 && maxNorm < norm + 1e-6 ? maxNorm / (norm + 1e-6) : 1.0;
  state[kStateFinite] = finite ? 1.0f : 0.0f;
  state[kStateScale] = static_cast<float>(clip / divisor);
  state[kStateNorm] = static_cast<float>(norm);
  state[finite ? kStateUpdates : kStateSkipped] += 1.0f;
  state[kStateSkippedInARow] = finite ? 0.0f : state[kStateSkippedInARow] + 1.0f;
  update_loss_scale(state, finite);   // the gradient at hand still has the scale before
}

}  // namespace eraserelu
