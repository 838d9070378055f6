// Elementwise kernels over flat tensors of n elements of type f32, bf16 or f16. Arithmetic is f32, rounded once. The output may
// be the memory of an input of the same type. Each returns what its launch returned.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "base/tensor_desc.h"
#include "plan/step_params.h"

namespace eraserelu::cuda {

cudaError_t relu(DType dtype, const void* x, void* y, std::int64_t n, cudaStream_t stream);
cudaError_t relu_bwd(DType dtype, const void* dy, const void* y, void* dx, std::int64_t n, cudaStream_t stream);
cudaError_t add(DType dtype, const void* a, const void* b, void* y, std::int64_t n, cudaStream_t stream);
cudaError_t fill(DType dtype, float value, void* y, std::int64_t n, cudaStream_t stream);

/// From and to any type. To integers: rounds half to even and saturates; NaN becomes 0.
cudaError_t cast(DType from, const void* x, DType to, void* y, std::int64_t n, cudaStream_t stream);

/// total = x in the first microbatch of a step, total + x in the others. `step` is memory of the device.
cudaError_t sum(DType dtype, const StepParams* step, const void* x, float* total, std::int64_t n, cudaStream_t stream);

/// total += x.
cudaError_t accumulate(DType dtype, const void* x, float* total, std::int64_t n, cudaStream_t stream);

}  // namespace eraserelu::cuda
