// A constant table in the device's memory, made when a kernel is bound.
#pragma once

#include <vector>

#include "cuda/device.h"

namespace eraserelu::cuda {

template <typename T>
class DeviceTable {
 public:
  /// Kernels on the device's stream find the values there.
  DeviceTable(const std::vector<T>& values, cudaStream_t stream) {
    const std::size_t bytes = values.size() * sizeof(T);
    if (bytes == 0) return;
    check(cudaMalloc(reinterpret_cast<void**>(&data_), bytes), "cudaMalloc of " + std::to_string(bytes) + " bytes for a table");
    const cudaError_t status = cudaMemcpyAsync(data_, values.data(), bytes, cudaMemcpyHostToDevice, stream);
    if (status != cudaSuccess) cudaFree(data_);
    check(status, "cudaMemcpyAsync of a table");
  }
  ~DeviceTable() { cudaFree(data_); }
  DeviceTable(const DeviceTable&) = delete;
  DeviceTable& operator=(const DeviceTable&) = delete;

  const T* data() const { return data_; }

 private:
  T* data_ = nullptr;
};

}  // namespace eraserelu::cuda
