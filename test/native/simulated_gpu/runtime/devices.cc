// CUDA's calls about devices. The environment variable SIM_SM names the architecture: 80, 90 (if it is not set) or 100.
#include "devices.h"

#include <cstdio>
#include <cstdlib>

#include "capture.h"
#include "errors.h"
#include "memory.h"
#include "streams.h"

namespace simulated_cuda {
namespace {

thread_local int currentDevice = 0;

/// Figures of a Turing GPU, which is too old, of the A100, H100 and B200.
struct Architecture {
  int sm;
  int multiprocessors;
  int shared_memory;   // bytes a block may have
  int l2_cache;        // bytes
  int bus_width;       // bits
};
const Architecture architectures[] = {
    {75, 40, 64 << 10, 4 << 20, 256},
    {80, 108, 163 << 10, 40 << 20, 5120},
    {90, 132, 227 << 10, 50 << 20, 5120},
    {100, 148, 227 << 10, 126 << 20, 8192},
};

const Architecture& architecture() {
  static const Architecture& chosen = []() -> const Architecture& {
    const char* const text = std::getenv("SIM_SM");
    const int sm = text == nullptr ? 90 : std::atoi(text);
    for (const Architecture& each : architectures)
      if (each.sm == sm) return each;
    std::fprintf(stderr, "simulated GPU: SIM_SM is 75, 80, 90 or 100, not %s\n", text);
    std::abort();
  }();
  return chosen;
}

bool is_device(int device) { return device >= 0 && device < deviceCount; }

}  // namespace

int current_device() { return currentDevice; }
int shared_memory_limit() { return architecture().shared_memory; }

}  // namespace simulated_cuda

using namespace simulated_cuda;

cudaError_t cudaGetDeviceCount(int* count) {
  return call(__func__, [&] { return *count = deviceCount, cudaSuccess; });
}

cudaError_t cudaGetDevice(int* device) {
  return call(__func__, [&] { return *device = currentDevice, cudaSuccess; });
}

cudaError_t cudaSetDevice(int device) {
  const std::lock_guard<std::recursive_mutex> guard(runtime_lock());
  if (!is_device(device)) return remember(cudaErrorInvalidDevice);
  currentDevice = device;   // before the checks of a call: the error of the device one leaves is no obstacle
  return call(__func__, [] { return cudaSuccess; });
}

cudaError_t cudaDeviceSynchronize() {
  return call(__func__, [] {
    if (const cudaError_t error = refuse_in_any_capture(); error != cudaSuccess) return error;
    run_device(currentDevice);
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  return call(__func__, [&] {
    if (!is_device(device) || !is_device(peer)) return cudaErrorInvalidDevice;
    *can = 0;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned int) {
  return call(__func__, [&] { return is_device(peer) ? cudaErrorPeerAccessUnsupported : cudaErrorInvalidDevice; });
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  return call(__func__, [&] { return *version = CUDART_VERSION, cudaSuccess; });
}

cudaError_t cudaDriverGetVersion(int* version) {
  const char* const asked = std::getenv("SIM_DRIVER");
  return call(__func__, [&] { return *version = asked != nullptr ? std::atoi(asked) : CUDART_VERSION, cudaSuccess; });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return call(__func__, [&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    const Architecture& chosen = architecture();
    cudaDeviceProp answer{};
    std::snprintf(answer.name, sizeof answer.name, "Simulated GPU (sm_%d)", chosen.sm);
    answer.totalGlobalMem = memory_use(device).total;
    answer.major = chosen.sm / 10;
    answer.minor = chosen.sm % 10;
    answer.multiProcessorCount = chosen.multiprocessors;
    answer.sharedMemPerBlock = 48 << 10;
    answer.sharedMemPerBlockOptin = static_cast<std::size_t>(chosen.shared_memory);
    answer.l2CacheSize = chosen.l2_cache;
    answer.memoryBusWidth = chosen.bus_width;
    answer.warpSize = 32;
    answer.maxThreadsPerBlock = 1024;
    answer.maxThreadsPerMultiProcessor = 2048;
    answer.regsPerBlock = 65536;
    *properties = answer;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  return call(__func__, [&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    const Architecture& chosen = architecture();
    switch (attribute) {
      case cudaDevAttrComputeCapabilityMajor: *value = chosen.sm / 10; return cudaSuccess;
      case cudaDevAttrComputeCapabilityMinor: *value = chosen.sm % 10; return cudaSuccess;
      case cudaDevAttrMultiProcessorCount: *value = chosen.multiprocessors; return cudaSuccess;
      case cudaDevAttrMaxSharedMemoryPerBlock: *value = 48 << 10; return cudaSuccess;
      case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = chosen.shared_memory; return cudaSuccess;
      case cudaDevAttrL2CacheSize: *value = chosen.l2_cache; return cudaSuccess;
      case cudaDevAttrGlobalMemoryBusWidth: *value = chosen.bus_width; return cudaSuccess;
      case cudaDevAttrWarpSize: *value = 32; return cudaSuccess;
      case cudaDevAttrMaxThreadsPerBlock: *value = 1024; return cudaSuccess;
      case cudaDevAttrMaxThreadsPerMultiProcessor: *value = 2048; return cudaSuccess;
      default: return cudaErrorNotSupported;
    }
  });
}
