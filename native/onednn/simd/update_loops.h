// The update section: gradient norm, optimizers and weight average over flat stretches of the arena.
#pragma once

#include "onednn/simd/isa.h"
#include "onednn/simd/loops.h"

namespace eraserelu {
namespace {

template <typename T>
double sum_of_squares_loop(const T* x, std::int64_t n) {
  constexpr int kLanes = 16;
  double lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int j = 0; j < kLanes; ++j) lanes[j] += static_cast<double>(x[i + j]) * static_cast<double>(x[i + j]);
  double sum = 0;
  for (; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  for (double lane : lanes) sum += lane;
  return sum;
}

template <typename T>
void sgd_loop(const SgdParams<float>& params, const T* gradient, float* weights, float* velocity, std::int64_t n) {
  const SgdParams<float> p = params;
  if (!velocity) {
    ERASERELU_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) weights[i] = sgd_weight<float>(p, gradient[i], weights[i]);
    return;
  }
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) weights[i] = sgd_momentum_weight<float>(p, gradient[i], weights[i], velocity[i]);
}

template <typename T>
void adamw_loop(const AdamwParams<float>& params, const T* gradient, float* weights, float* m, float* v, std::int64_t n) {
  const AdamwParams<float> p = params;
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) weights[i] = adamw_weight<float>(p, gradient[i], weights[i], m[i], v[i]);
}

void ema_loop(const float* weights, float* ema, float fresh, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) ema[i] = moving_average(ema[i], weights[i], fresh);
}

}  // namespace
}  // namespace eraserelu
