// Errors: the frame of every call, sticky errors of a device, and faults of device work.
#pragma once

#include <cuda_runtime_api.h>

#include <mutex>
#include <string>

namespace simulated_cuda {

/// Thrown by device work that does what a GPU would not survive.
struct Fault {
  cudaError_t error;
  std::string message;
};

/// Ends the current device: prints the fault and makes its error sticky.
void end_device(int device, const Fault& fault);
bool device_ended(int device);

/// One lock over everything: calls and device work happen one at a time.
std::recursive_mutex& runtime_lock();

/// The error a call must return without doing anything; cudaSuccess if it may go on.
cudaError_t error_before(const char* name);
cudaError_t remember(cudaError_t error);

/// Runs the body of one call.
template <typename Body>
cudaError_t call(const char* name, Body&& body) {
  const std::lock_guard<std::recursive_mutex> guard(runtime_lock());
  const cudaError_t error = error_before(name);
  return remember(error != cudaSuccess ? error : body());
}

}  // namespace simulated_cuda
