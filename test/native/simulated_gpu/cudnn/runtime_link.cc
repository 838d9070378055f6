#include "runtime_link.h"

#include <dlfcn.h>

#include "errors.h"

namespace simulated_cudnn {
namespace {

template <typename Function>
Function* runtime_function(const char* name) {
  void* library = dlopen("libcudart.so.13", RTLD_NOW | RTLD_NOLOAD);
  void* function = library == nullptr ? nullptr : dlsym(library, name);
  if (function == nullptr) fail(CUDNN_STATUS_NOT_INITIALIZED, "the simulated CUDA runtime is not loaded: there is no ", name);
  return reinterpret_cast<Function*>(function);
}

int device_attribute(cudaDeviceAttr attribute) {
  static const auto query = runtime_function<cudaError_t(int*, cudaDeviceAttr, int)>("cudaDeviceGetAttribute");
  static const auto current = runtime_function<cudaError_t(int*)>("cudaGetDevice");
  int device = 0, value = 0;
  if (current(&device) != cudaSuccess || query(&value, attribute, device) != cudaSuccess)
    fail(CUDNN_STATUS_EXECUTION_FAILED_CUDART, "the device cannot be asked");
  return value;
}

}  // namespace

void enqueue(cudaStream_t stream, const std::function<const char*()>& work) {
  static const auto enqueueC = runtime_function<cudaError_t(cudaStream_t, const std::function<const char*()>*)>("simEnqueueC");
  if (const cudaError_t error = enqueueC(stream, &work); error != cudaSuccess)
    fail(CUDNN_STATUS_EXECUTION_FAILED_CUDART, "CUDA error ", error);
}

bool is_device_memory(const void* pointer) {
  static const auto isDevice = runtime_function<bool(const void*)>("simIsDevice");
  return isDevice(pointer);
}

int device_architecture() {
  return 10 * device_attribute(cudaDevAttrComputeCapabilityMajor) + device_attribute(cudaDevAttrComputeCapabilityMinor);
}

}  // namespace simulated_cudnn
