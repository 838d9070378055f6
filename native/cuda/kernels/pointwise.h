// Functions of one or two tensors, which stretch to a common shape. Returns what its launch returned.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "base/pointwise.h"
#include "base/tensor_desc.h"

namespace eraserelu::cuda {

/// The shape of the result and the strides of the operands in it, 0 where one stretches; in the last dimension 1 or 0.
struct Broadcast {
  static constexpr int maxRank = 8;

  int rank = 1;
  std::int64_t shape[maxRank] = {};
  std::int64_t strideA[maxRank] = {};
  std::int64_t strideB[maxRank] = {};

  template <typename Visit>
  void each_pointer(Visit) const {}
};

struct PointwiseOperands {
  PointwiseFn fn;
  float alpha;
  float beta;
  const void* a;
  const void* b;   // nullptr for a function of one operand
  void* y;         // may be the memory of an operand that does not stretch
};

/// All tensors are of type `dtype`; only in `mul` b may also be f32.
cudaError_t pointwise(DType dtype, DType dtypeOfB, const PointwiseOperands& operands, const Broadcast& dims, cudaStream_t stream);

}  // namespace eraserelu::cuda
