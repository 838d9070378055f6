// What the stand-in for cuDNN offers tests beyond cuDNN's own calls.
#pragma once

#include <cudnn_graph.h>

#define SIM_EXPORT extern "C" __attribute__((visibility("default")))

/// Makes the n-th call (from 1, counted from now) fail whose name matches `pattern` ("cudnnBackendExecute", "cudnn*"); n = 0:
/// none. The environment variable SIM_FAIL=pattern:n[:status] does so from the start, as it does for the CUDA runtime.
SIM_EXPORT void simCudnnFail(const char* pattern, long n, cudnnStatus_t status);

/// Descriptors that are still alive, counting those that only others refer to.
SIM_EXPORT long simCudnnDescriptors();

/// The support table's key (simulated_gpu/cudnn/graph_key.h) of the operation graph that this thread finalised last.
SIM_EXPORT const char* simCudnnLastKey();
