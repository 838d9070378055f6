// What follows a convolution where cuDNN does not fuse it: y = act(y + bias + residual), in place, on n elements with the channels
// innermost. `bias` (one a channel, f32) and `residual` (n elements) may be nullptr. Returns what the launch returned.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "base/activation.h"
#include "base/tensor_desc.h"

namespace eraserelu::cuda {

cudaError_t epilogue(DType dtype, void* y, const float* bias, const void* residual, Activation activation, std::int64_t n,
                     std::int64_t channels, cudaStream_t stream);

}  // namespace eraserelu::cuda
