// Copies and fills. Pageable memory of the host is staged at the call; pinned memory is read and written when the copy runs.
#include <cstring>
#include <memory>
#include <vector>

#include "capture.h"
#include "devices.h"
#include "errors.h"
#include "memory.h"
#include "streams.h"

using namespace simulated_cuda;

namespace {

enum class Side { device, pinned, pageable, wrong };

/// Where [pointer, pointer + size) lies; `wrong` when it begins in memory of a device and leaves it, or is of another device.
Side side_of(const void* pointer, std::size_t size) {
  const Allocation* each = find_allocation(pointer);
  if (each == nullptr) return find_mapping(pointer) == nullptr ? Side::pageable : Side::wrong;
  if (!is_accessible(current_device(), pointer, size)) return Side::wrong;
  return each->kind == Kind::device ? Side::device : Side::pinned;
}

bool fits(Side side, bool on_device) { return side != Side::wrong && on_device == (side == Side::device); }

bool fits(cudaMemcpyKind kind, Side destination, Side source) {
  switch (kind) {
    case cudaMemcpyHostToHost: return fits(destination, false) && fits(source, false);
    case cudaMemcpyHostToDevice: return fits(destination, true) && fits(source, false);
    case cudaMemcpyDeviceToHost: return fits(destination, false) && fits(source, true);
    case cudaMemcpyDeviceToDevice: return fits(destination, true) && fits(source, true);
    case cudaMemcpyDefault: return destination != Side::wrong && source != Side::wrong;
  }
  return false;
}

/// Memory that was freed before the copy ran is a fault of the device, as it is on a GPU.
void require_accessible(const void* pointer, std::size_t size) {
  if (find_mapping(pointer) == nullptr || is_accessible(opened_device(), pointer, size)) return;
  throw Fault{cudaErrorIllegalAddress, "address " + describe(pointer)};
}

cudaError_t enqueue_copy(void* to, const void* from, std::size_t size, cudaMemcpyKind kind, cudaStream_t stream) {
  if (size == 0) return cudaSuccess;
  const Side destination = side_of(to, size);
  const Side source = side_of(from, size);
  if (!fits(kind, destination, source)) return cudaErrorInvalidValue;
  std::shared_ptr<std::vector<char>> staged;
  if (source == Side::pageable) {
    const char* const bytes = static_cast<const char*>(from);
    staged = std::make_shared<std::vector<char>>(bytes, bytes + size);
  }
  return enqueue(stream, "copy", [=] {
    require_accessible(to, size);
    if (staged == nullptr) require_accessible(from, size);
    std::memmove(to, staged == nullptr ? from : staged->data(), size);
  });
}

cudaError_t enqueue_fill(void* to, int value, std::size_t size, cudaStream_t stream) {
  if (size == 0) return cudaSuccess;
  const Side side = side_of(to, size);
  if (side != Side::device && side != Side::pinned) return cudaErrorInvalidValue;
  return enqueue(stream, "fill", [=] {
    require_accessible(to, size);
    std::memset(to, value, size);
  });
}

bool is_pageable(const void* pointer) { return find_mapping(pointer) == nullptr; }

}  // namespace

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t size, cudaMemcpyKind kind) {
  return call(__func__, [&] {
    if (const cudaError_t error = refuse_in_capture(); error != cudaSuccess) return error;
    const cudaError_t error = enqueue_copy(to, from, size, kind, nullptr);
    if (error == cudaSuccess) run_until(end_of(stream_of(nullptr)));
    return error;
  });
}

/// A copy to or from pageable memory may wait, so a capture refuses it; one to pageable memory does wait.
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t size, cudaMemcpyKind kind, cudaStream_t stream) {
  return call(__func__, [&] {
    if (is_pageable(to) || is_pageable(from)) {
      if (const cudaError_t error = refuse_in_capture(); error != cudaSuccess) return error;
    }
    const cudaError_t error = enqueue_copy(to, from, size, kind, stream);
    if (error == cudaSuccess && is_pageable(to)) run_until(end_of(stream_of(stream)));
    return error;
  });
}

cudaError_t cudaMemset(void* to, int value, std::size_t size) {
  return call(__func__, [&] {
    if (const cudaError_t error = refuse_in_capture(); error != cudaSuccess) return error;
    return enqueue_fill(to, value, size, nullptr);
  });
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t size, cudaStream_t stream) {
  return call(__func__, [&] { return enqueue_fill(to, value, size, stream); });
}
