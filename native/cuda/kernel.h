// The one header of our .cu files: shared memory, launches, and CUDA's own device side. Compiled with SIM_GPU by a host
// compiler, the same files run on the simulated GPU of test/native/simulated_gpu, which checks what they do. Hence these forms:
//   SHARED_ARRAY(float, sums, 32);     an array in shared memory (for __shared__ float sums[32])
//   DYN_SHARED(float, tile);           the dynamic shared memory of the launch, of one element type
//   void f(Shared<float> sums);        a pointer into either
//   launch(kernel, grid, block, dynamicSharedBytes, stream, arguments...);    (for kernel<<<...>>>)
// A struct that is a kernel's argument and holds pointers lists them in a member `each_pointer(visit)`.
#pragma once

#ifdef SIM_GPU
#include "simulated_gpu/device/device.h"
#else

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#define SHARED_ARRAY(T, name, size) __shared__ T name[size]
#define DYN_SHARED(T, name)                                                       \
  extern __shared__ __align__(16) unsigned char eraserelu_dynamic_shared_memory[]; \
  T* const name = reinterpret_cast<T*>(eraserelu_dynamic_shared_memory)

namespace eraserelu {

template <typename T>
using Shared = T*;

template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared, cudaStream_t stream,
                   Arguments&&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}

}  // namespace eraserelu

#endif
