// Short forms for tests of the CUDA runtime.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <vector>

#include "runtime/sim.h"
#include "tests/harness.h"

#define CUDA(call) CHECK_EQUAL(call, cudaSuccess)

inline cudaStream_t make_stream() {
  cudaStream_t stream;
  CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return stream;
}

inline cudaEvent_t make_event() {
  cudaEvent_t event;
  CUDA(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  return event;
}

/// Device memory for integers, all of one value.
inline int* make_ints(int count, int value) {
  void* made;
  CUDA(cudaMalloc(&made, static_cast<std::size_t>(count) * sizeof(int)));
  const std::vector<int> values(static_cast<std::size_t>(count), value);
  CUDA(cudaMemcpy(made, values.data(), values.size() * sizeof(int), cudaMemcpyHostToDevice));
  return static_cast<int*>(made);
}

inline int* make_pinned_int(int value) {
  void* made;
  CUDA(cudaMallocHost(&made, sizeof(int)));
  *static_cast<int*>(made) = value;
  return static_cast<int*>(made);
}

inline int read_int(const int* device) {
  int value;
  CUDA(cudaMemcpy(&value, device, sizeof value, cudaMemcpyDeviceToHost));
  return value;
}

/// Appends work to a stream.
inline cudaError_t submit(cudaStream_t stream, const std::function<void()>& work) {
  const std::function<const char*()> wrapped = [work]() -> const char* { return work(), nullptr; };
  return simEnqueueC(stream, &wrapped);
}
