// A GPU: its number, its compute stream, and how our kernels are made for it.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <string>

#include "backend/kernel_base.h"

struct cudnnContext;

namespace eraserelu::cuda {

/// Throws DeviceError with the CUDA runtime's words, unless the call succeeded. `what`: "cudaMalloc of 4096 bytes". After some errors
/// CUDA refuses a process every further call on the device: then the device of the calling thread is lost.
void check(cudaError_t status, const std::string& what);

/// Makes a device that of the calling thread. Throws DeviceError when it is lost.
void use_device(int index);
bool is_lost(int index);

std::string device_name(int index);   // "cuda", "cuda:1"

struct Device {
  int index = 0;
  /// All kernels run on it, in program order.
  cudaStream_t stream = nullptr;
  /// Inputs arrive on it, beside the kernels.
  cudaStream_t copies = nullptr;
  int multiprocessors = 0;
  cudnnContext* cudnn = nullptr;
  /// cuDNN's description (JSON) of a GPU that is not here. For it kernels can be prepared, to learn what runs there; they cannot be launched.
  std::string described;
};

/// Runs images [first, first + count) on the stream; returns what the launch returned.
using DeviceLaunch = std::function<cudaError_t(std::int64_t first, std::int64_t count)>;

/// A kernel of our own: `bind` takes the addresses (Operands::step() is memory of the device) and returns the launch. A launch
/// that fails throws DeviceError with node, operation and shapes.
std::unique_ptr<Kernel> own_kernel(const OpDesc& desc, Requirements requirements, std::function<DeviceLaunch(const Operands&)> bind);

}  // namespace eraserelu::cuda
