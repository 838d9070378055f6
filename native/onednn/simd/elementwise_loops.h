// Elementwise operations over flat stretches of memory.
#pragma once

#include "base/philox.h"
#include "onednn/simd/isa.h"
#include "onednn/simd/loops.h"

namespace eraserelu {
namespace {

void relu_loop(const float* x, float* y, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] <= 0 ? 0 : x[i];   // keeps NaN
}

void relu_bwd_loop(const float* dy, const float* y, float* dx, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) dx[i] = y[i] > 0 ? dy[i] : 0;
}

void add_loop(const float* a, const float* b, float* y, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) y[i] = a[i] + b[i];
}

void scale_loop(const float* x, float factor, float* y, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] * factor;
}

void divide_loop(const float* x, float divisor, float* y, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] / divisor;
}

void add_divided_loop(const float* x, float divisor, float* y, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) y[i] += x[i] / divisor;
}

void dropout_loop(const float* x, float* y, std::int64_t n, float p, float kept, std::uint64_t seed, std::uint64_t step,
                  std::uint32_t op_id, std::uint64_t element) {
  std::int64_t i = 0;
  while (i < n) {
    const Philox4 random = philox_block(seed, step, op_id, (element + i) / 4);
    for (std::uint64_t lane = (element + i) % 4; lane < 4 && i < n; ++lane, ++i)
      y[i] = uniform_of(random.word[lane]) >= p ? x[i] / kept : 0;
  }
}

template <PointwiseFn kFn>
void pointwise_as(const float* a, std::int64_t step_a, const float* b, std::int64_t step_b, float alpha, float beta, float* y,
                  std::int64_t n) {
  if (step_a == 1 && step_b == 1) {
    ERASERELU_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = pointwise<float>(kFn, a[i], b[i], alpha, beta);
  } else {
    ERASERELU_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = pointwise<float>(kFn, a[i * step_a], b[i * step_b], alpha, beta);
  }
}

void pointwise_loop(PointwiseFn fn, const float* a, std::int64_t step_a, const float* b, std::int64_t step_b, float alpha,
                    float beta, float* y, std::int64_t n) {
#define ERASERELU_CASE(name) \
  case PointwiseFn::name: return pointwise_as<PointwiseFn::name>(a, step_a, b, step_b, alpha, beta, y, n);
  switch (fn) {
    ERASERELU_CASE(exp) ERASERELU_CASE(log) ERASERELU_CASE(sqrt) ERASERELU_CASE(sigmoid) ERASERELU_CASE(tanh)
    ERASERELU_CASE(abs) ERASERELU_CASE(neg) ERASERELU_CASE(square) ERASERELU_CASE(clamp) ERASERELU_CASE(affine)
    ERASERELU_CASE(pow) ERASERELU_CASE(clampGrad) ERASERELU_CASE(add) ERASERELU_CASE(sub) ERASERELU_CASE(mul)
    ERASERELU_CASE(div) ERASERELU_CASE(max) ERASERELU_CASE(min) ERASERELU_CASE(eq) ERASERELU_CASE(gt)
  }
#undef ERASERELU_CASE
}

}  // namespace
}  // namespace eraserelu
