// Failures on request, and errors that stay.
#include <cstdlib>
#include <string>

#include "cuda.h"

TEST(the_nth_call_fails_once) {
  simFail("cudaMalloc", 2, cudaErrorMemoryAllocation);
  void* memory;
  CUDA(cudaMalloc(&memory, 4));
  CHECK_EQUAL(cudaMalloc(&memory, 4), cudaErrorMemoryAllocation);
  CUDA(cudaMalloc(&memory, 4));
}

TEST(any_call_can_be_counted) {
  simFail("cuda*", 2, cudaErrorUnknown);
  int device;
  CUDA(cudaGetDevice(&device));
  CHECK_EQUAL(cudaSetDevice(0), cudaErrorUnknown);
}

TEST(the_environment_asks_for_failures) {
  setenv("SIM_FAIL", "cudaMallocHost:1", 1);   // read at the first call
  void* memory;
  CUDA(cudaMalloc(&memory, 4));
  CHECK_EQUAL(cudaMallocHost(&memory, 4), cudaErrorMemoryAllocation);
}

TEST(the_environment_names_the_error) {
  setenv("SIM_FAIL", "cudaMalloc:1:999", 1);
  void* memory;
  CHECK_EQUAL(cudaMalloc(&memory, 4), cudaErrorUnknown);
}

TEST(a_number_alone_counts_every_call) {
  setenv("SIM_FAIL", "2", 1);
  void* memory;
  CUDA(cudaMalloc(&memory, 4));
  CHECK_EQUAL(cudaFree(memory), cudaErrorLaunchFailure);
}

TEST(sticky_errors_stay_and_drop_the_work) {
  int ran = 0;
  const std::function<const char*()> wrong = []() -> const char* { return "wrong on purpose"; };
  CUDA(simEnqueueC(nullptr, &wrong));
  submit(nullptr, [&] { ++ran; });
  CHECK_EQUAL(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
  CHECK_EQUAL(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
  CHECK_EQUAL(cudaGetLastError(), cudaErrorIllegalAddress);
  CHECK_EQUAL(cudaGetLastError(), cudaErrorIllegalAddress);
  CHECK_EQUAL(std::string(simFault()), "library call: wrong on purpose");
  CHECK_EQUAL(ran, 0);
  simForgetErrors();
  CUDA(cudaDeviceSynchronize());
}

TEST(errors_have_names) {
  CHECK_EQUAL(std::string(cudaGetErrorName(cudaErrorMemoryAllocation)), "cudaErrorMemoryAllocation");
  CHECK_EQUAL(std::string(cudaGetErrorString(cudaErrorMemoryAllocation)), "out of memory");
}
