// The functions of the operation `pointwise`, of one or two operands. max, min and clamp keep NaN.
#pragma once

#include <cmath>
#include <string>

#include "base/error.h"
#include "base/host_device.h"

namespace eraserelu {

enum class PointwiseFn {
  exp, log, sqrt, sigmoid, tanh, abs, neg, square, clamp, affine, pow,   // of a
  clampGrad, add, sub, mul, div, max, min, eq, gt                       // of a and b
};

inline bool takes_two(PointwiseFn fn) { return fn >= PointwiseFn::clampGrad; }

inline PointwiseFn pointwise_fn_named(const std::string& name) {
  static constexpr const char* kNames[] = {"exp", "log", "sqrt", "sigmoid", "tanh", "abs", "neg", "square", "clamp", "affine",
                                           "pow", "clampGrad", "add", "sub", "mul", "div", "max", "min", "eq", "gt"};
  int index = 0;
  std::string known;
  for (const char* candidate : kNames) {
    if (name == candidate) return static_cast<PointwiseFn>(index);
    known += (index++ ? ", " : "") + std::string(candidate);
  }
  fail(ErrorCode::InvalidArgument, "unknown pointwise function '", name, "': use one of ", known);
}

/// `alpha` and `beta` are the attributes of the operation; b is ignored by functions of one operand.
template <typename Real>
ERASERELU_HD Real pointwise(PointwiseFn fn, Real a, Real b, Real alpha, Real beta) {
  switch (fn) {
    case PointwiseFn::exp: return std::exp(a);
    case PointwiseFn::log: return std::log(a);
    case PointwiseFn::sqrt: return std::sqrt(a);
    case PointwiseFn::sigmoid: return Real(1) / (Real(1) + std::exp(-a));
    case PointwiseFn::tanh: return std::tanh(a);
    case PointwiseFn::abs: return std::fabs(a);
    case PointwiseFn::neg: return -a;
    case PointwiseFn::square: return a * a;
    case PointwiseFn::clamp: return a < alpha ? alpha : a > beta ? beta : a;
    case PointwiseFn::affine: return alpha * a + beta;
    case PointwiseFn::pow: return std::pow(a, alpha);
    case PointwiseFn::clampGrad: return a >= alpha && a <= beta ? b : Real(0);
    case PointwiseFn::add: return a + b;
    case PointwiseFn::sub: return a - b;
    case PointwiseFn::mul: return a * b;
    case PointwiseFn::div: return a / b;
    case PointwiseFn::max: return a > b || a != a ? a : b;
    case PointwiseFn::min: return a < b || a != a ? a : b;
    case PointwiseFn::eq: return a == b ? Real(1) : Real(0);
    case PointwiseFn::gt: return a > b ? Real(1) : Real(0);
  }
  return a;
}

}  // namespace eraserelu
