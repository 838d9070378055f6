// The parameters of batch norm, as its kernels read them. Forward and backward compute a channel's value by the same lines, so
// that both find the same elements active.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/host_device.h"

namespace eraserelu::cuda {

/// Addresses of [C] vectors on the device. `spread` is invstd; where epsilon is not negative, it is the variance.
struct BnParameters {
  const float* mean;
  const float* spread;
  const float* gamma;
  const float* beta;
  float epsilon = -1;

  template <typename Visit>
  void each_pointer(Visit visit) const {
    visit(mean), visit(spread), visit(gamma), visit(beta);
  }
};

/// One channel: its value before residual and activation is scale·(x - mean) + beta.
struct BnChannel {
  float mean;
  float invstd;
  float scale;   // gamma·invstd
  float beta;
};

ERASERELU_HD BnChannel bn_channel(const BnParameters& p, std::int64_t c) {
  const float invstd = p.epsilon < 0 ? p.spread[c] : 1.0f / sqrtf(p.spread[c] + p.epsilon);
  return {p.mean[c], invstd, p.gamma[c] * invstd, p.beta[c]};
}

/// `centred` is x - mean.
ERASERELU_HD float bn_value(const BnChannel& channel, float centred) { return fmaf(centred, channel.scale, channel.beta); }

}  // namespace eraserelu::cuda
