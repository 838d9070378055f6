// The simulated devices: two of them, of one kind, without peer access.
#pragma once

namespace simulated_cuda {

constexpr int deviceCount = 2;

int current_device();   // of this thread

/// Dynamic shared memory a kernel may have after cudaFuncSetAttribute, in bytes.
int shared_memory_limit();

}  // namespace simulated_cuda
