// The activations of a fused operation. relu keeps NaN, so that a NaN can be found where it was made; relu'(0) = 0.
#pragma once

#include <string>

#include "base/error.h"
#include "base/host_device.h"

namespace eraserelu {

enum class Activation { identity, relu };

inline Activation activation_named(const std::string& name) {
  if (name == "identity") return Activation::identity;
  if (name == "relu") return Activation::relu;
  fail(ErrorCode::InvalidArgument, "unknown activation '", name, "': use identity or relu");
}

template <typename Real>
ERASERELU_HD Real relu(Real x) {
  return x > Real(0) || x != x ? x : Real(0);
}

template <typename Real>
ERASERELU_HD Real activate(Activation activation, Real x) {
  return activation == Activation::relu ? relu(x) : x;
}

}  // namespace eraserelu
