// Failures on request: simFail and the environment variable SIM_FAIL.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

namespace simulated_cuda {

/// The error this call was asked to return; counts the call.
cudaError_t failure_asked_for(const char* name);

void ask_for_failure(const std::string& pattern, long n, cudaError_t error);

}  // namespace simulated_cuda
