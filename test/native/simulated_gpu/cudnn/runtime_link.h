// The stand-in for the CUDA runtime, found among the libraries that the process has loaded already.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

namespace simulated_cudnn {

/// Appends work to a stream or its capture; the work returns nullptr or what was wrong. Throws EXECUTION_FAILED_CUDART.
void enqueue(cudaStream_t stream, const std::function<const char*()>& work);

bool is_device_memory(const void* pointer);

/// 90 for compute capability 9.0 of the current device.
int device_architecture();

}  // namespace simulated_cudnn
