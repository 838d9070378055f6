// What eraserelu_cuda.so exports (backend/cuda_interface.h), and whether it can be used on this machine.
#include <cuda_runtime_api.h>

#include <string>

#include "backend/cuda_interface.h"
#include "backend/nvidia_library.h"
#include "cuda/cuda_backend.h"
#include "cuda/cudnn_graph.h"

#define ERASERELU_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

std::string version_text(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

/// Why no device can be used; "" when `devices` can.
std::string problem(int& devices) {
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) return "no NVIDIA driver is installed: install driver 580 or newer";
  if (driver < 13000)
    return "the NVIDIA driver is too old: it is made for CUDA " + version_text(driver) + "; CUDA 13 needs driver 580 or newer";
  const cudaError_t status = cudaGetDeviceCount(&devices);
  if (status != cudaSuccess) return std::string("no GPU can be used: ") + cudaGetErrorString(status);
  if (devices == 0) return "no GPU is visible to this process";
  return eraserelu::cuda::open_cudnn(eraserelu::folder_of(reinterpret_cast<const void*>(&problem)));
}

}  // namespace

ERASERELU_EXPORT const char* eraserelu_cuda_open(const char* waist, int* devices) {
  static std::string reason;
  reason = std::string(waist) == ERASERELU_WAIST ? problem(*devices)
                                                 : "eraserelu_cuda.so and eraserelu.node come from different sources: build both again";
  return reason.empty() ? nullptr : reason.c_str();
}

ERASERELU_EXPORT eraserelu::Backend* eraserelu_cuda_backend(int device) { return eraserelu::make_cuda_backend(device).release(); }
