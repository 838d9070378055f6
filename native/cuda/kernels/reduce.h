// Sum, mean or maximum over some dimensions of a tensor, in double. Returns what the first launch that failed returned.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "base/tensor_desc.h"

namespace eraserelu::cuda {

/// Some dimensions of a tensor, with their strides in it.
struct Dims {
  static constexpr int maxRank = 8;

  int rank = 0;
  std::int64_t shape[maxRank] = {};
  std::int64_t strides[maxRank] = {};

  std::int64_t elements() const;
};

struct Reduction {
  Dims kept;
  Dims reduced;
  bool lastStays = false;   // the tensor's last dimension is a kept one
  bool maximum = false;
  double divisor = 1;

  template <typename Visit>
  void each_pointer(Visit) const {}
};

/// Bytes of scratch.
std::size_t reduce_scratch(const Reduction& reduction);

cudaError_t reduce(DType dtype, const Reduction& reduction, const void* x, void* y, void* scratch, cudaStream_t stream);

}  // namespace eraserelu::cuda
