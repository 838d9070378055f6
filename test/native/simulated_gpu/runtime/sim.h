// What the stand-in for the CUDA runtime offers beyond CUDA: entries for the stand-in for cuDNN, for the launcher and for tests.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <vector>

#define SIM_EXPORT extern "C" __attribute__((visibility("default")))

/// Appends device work to a stream, or to its capture. The work returns nullptr, or what was wrong: the device then has the
/// sticky error 700. The function is copied.
SIM_EXPORT cudaError_t simEnqueueC(cudaStream_t stream, const std::function<const char*()>* work);

/// Whether a pointer lies in a live allocation that the current device may use.
SIM_EXPORT bool simIsDevice(const void* pointer);

/// Makes the n-th call (from 1, counted from now) fail whose name matches `pattern` ("cudaMalloc", "cuda*"). The environment
/// variable SIM_FAIL=pattern:n[:error] does so from the start; a number alone stands for "cuda*:n".
SIM_EXPORT void simFail(const char* pattern, long n, cudaError_t error);

/// Takes back simFail and forgets sticky errors.
SIM_EXPORT void simForgetErrors();

/// What the last sticky error was about; "" when there is none.
SIM_EXPORT const char* simFault();

/// Memory of each device; else the environment variable SIM_MEMORY, else 8 GiB.
SIM_EXPORT void simSetTotalMemory(std::size_t bytes);

/// One line for everything that is still alive (memory, streams, events, graphs); "" if nothing is. With SIM_LEAKS=1 it is
/// printed when the process ends.
SIM_EXPORT const char* simLeaks();

/// The names of the calls, and what the streams did ("copy", "graph", "event wait"), since the last time this was asked: a line each. Both
/// begin with the first question.
SIM_EXPORT const char* simCalls();
SIM_EXPORT const char* simWork();

/// A kernel launch: `thread` is the kernel with its arguments, run once a thread.
struct SimLaunch {
  const void* kernel;
  dim3 grid;
  dim3 block;
  std::size_t shared;
  cudaStream_t stream;
  std::vector<const void*> pointers;   // every pointer among the arguments
  std::function<void()> thread;
};
SIM_EXPORT cudaError_t simLaunch(const SimLaunch& launch);
