// Elementwise operations over flat stretches of memory.
#pragma once

#include "base/philox.h"
#include "onednn/simd/isa.h"
#include "onednn/simd/loops.h"

namespace eraserelu {
namespace {

template <typename From, typename To>
void convert_loop(const From* x, To* y, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(x[i]);
}

template <typename T>
void relu_loop(const T* x, T* y, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) {
    const float value = x[i];
    y[i] = value <= 0 ? 0 : value;   // keeps NaN
  }
}

template <typename T>
void relu_bwd_loop(const T* dy, const T* y, T* dx, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) {
    const float gradient = dy[i];
    dx[i] = y[i] > 0 ? gradient : 0;
  }
}

template <typename A, typename B, typename Y>
void add_loop(const A* a, const B* b, Y* y, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) y[i] = a[i] + b[i];
}

template <typename T>
void scale_loop(const T* x, float factor, T* y, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] * factor;
}

template <typename From, typename To>
void divide_loop(const From* x, float divisor, To* y, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] / divisor;
}

template <typename T>
void add_divided_loop(const T* x, float divisor, float* total, std::int64_t n) {
  ERASERELU_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) total[i] += x[i] / divisor;
}

template <typename T>
void dropout_loop(const T* x, T* y, std::int64_t n, float p, float kept, std::uint64_t seed, std::uint64_t step,
                  std::uint32_t op_id, std::uint64_t element) {
  std::int64_t i = 0;
  while (i < n) {
    const Philox4 random = philox_block(seed, step, op_id, (element + i) / 4);
    for (std::uint64_t lane = (element + i) % 4; lane < 4 && i < n; ++lane, ++i)
      y[i] = uniform_of(random.word[lane]) >= p ? x[i] / kept : 0;
  }
}

template <PointwiseFn kFn, typename T>
void pointwise_as(const T* a, std::int64_t step_a, const T* b, std::int64_t step_b, float alpha, float beta, T* y,
                  std::int64_t n) {
  if (step_a == 1 && step_b == 1) {
    ERASERELU_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = pointwise<float>(kFn, a[i], b[i], alpha, beta);
  } else {
    ERASERELU_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = pointwise<float>(kFn, a[i * step_a], b[i * step_b], alpha, beta);
  }
}

template <typename T>
void pointwise_loop(PointwiseFn fn, const T* a, std::int64_t step_a, const T* b, std::int64_t step_b, float alpha, float beta,
                    T* y, std::int64_t n) {
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
