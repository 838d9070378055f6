// CUDA's calls about memory.
#include <cstring>

#include "capture.h"
#include "devices.h"
#include "errors.h"
#include "memory.h"
#include "sim.h"
#include "streams.h"

using namespace simulated_cuda;

namespace {

cudaError_t allocate_for_call(Kind kind, void** pointer, std::size_t size) {
  if (pointer == nullptr) return cudaErrorInvalidValue;
  if (const cudaError_t error = refuse_in_capture(); error != cudaSuccess) return error;
  *pointer = nullptr;
  if (size == 0) return cudaSuccess;
  *pointer = allocate(kind, current_device(), size);
  return *pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

/// Freeing waits for all work, as it does on a GPU.
cudaError_t release_for_call(Kind kind, void* pointer) {
  if (const cudaError_t error = refuse_in_capture(); error != cudaSuccess) return error;
  if (pointer == nullptr) return cudaSuccess;
  run_everything();
  return release(kind, pointer) ? cudaSuccess : cudaErrorInvalidValue;
}

}  // namespace

cudaError_t cudaMalloc(void** pointer, std::size_t size) {
  return call(__func__, [&] { return allocate_for_call(Kind::device, pointer, size); });
}

cudaError_t cudaFree(void* pointer) {
  return call(__func__, [&] { return release_for_call(Kind::device, pointer); });
}

cudaError_t cudaMallocHost(void** pointer, std::size_t size) {
  return call(__func__, [&] { return allocate_for_call(Kind::pinned, pointer, size); });
}

cudaError_t cudaHostAlloc(void** pointer, std::size_t size, unsigned int) {
  return call(__func__, [&] { return allocate_for_call(Kind::pinned, pointer, size); });
}

cudaError_t cudaFreeHost(void* pointer) {
  return call(__func__, [&] { return release_for_call(Kind::pinned, pointer); });
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return call(__func__, [&] {
    const MemoryUse use = memory_use(current_device());
    *free = use.free;
    *total = use.total;
    return cudaSuccess;
  });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  return call(__func__, [&] {
    const Allocation* each = find_allocation(pointer);
    *attributes = {};
    attributes->device = each == nullptr ? -1 : each->device;
    attributes->type = each == nullptr               ? cudaMemoryTypeUnregistered
                       : each->kind == Kind::device ? cudaMemoryTypeDevice
                                                    : cudaMemoryTypeHost;
    if (each != nullptr) attributes->devicePointer = const_cast<void*>(pointer);
    if (each == nullptr || each->kind == Kind::pinned) attributes->hostPointer = const_cast<void*>(pointer);
    return cudaSuccess;
  });
}

bool simIsDevice(const void* pointer) {
  const std::lock_guard<std::recursive_mutex> guard(runtime_lock());
  return is_accessible(current_device(), pointer, 1);
}

void simSetTotalMemory(std::size_t bytes) {
  const std::lock_guard<std::recursive_mutex> guard(runtime_lock());
  set_total_memory(bytes);
}
