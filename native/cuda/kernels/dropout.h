// Dropout: forward and backward are the same function. Returns what its launch returned.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "base/tensor_desc.h"
#include "plan/step_params.h"

namespace eraserelu::cuda {

struct Dropout {
  float p;
  float kept;              // 1 - p, what the others are divided by
  std::uint32_t opId;
  std::int64_t first;      // the number of x[0] in the whole tensor
  std::int64_t elements;   // of the whole tensor: every microbatch draws its own numbers

  template <typename Visit>
  void each_pointer(Visit) const {}
};

/// n elements; y may be the memory of x. `step` is in the device's memory.
cudaError_t dropout(DType dtype, const Dropout& dropout, const StepParams* step, const void* x, void* y, std::int64_t n,
                    cudaStream_t stream);

}  // namespace eraserelu::cuda
