// Short forms for tests of kernels.
#pragma once

#include <cstring>

#include "cuda/kernel.h"
#include "tests/runtime/cuda.h"

constexpr unsigned fullMask = 0xFFFFFFFFU;

/// Waits for the work; fails the case unless it ended with an error whose explanation contains `words`.
inline void check_fault(const char* words) {
  CHECK(cudaDeviceSynchronize() != cudaSuccess);
  if (std::strstr(simFault(), words) == nullptr) harness::fail(__FILE__, __LINE__, std::string("the fault is: ") + simFault());
}
