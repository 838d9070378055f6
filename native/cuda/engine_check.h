// Nobody has seen an engine of cuDNN computing the right thing on this device until it was checked: run once on random operands, and a sample of its results
// compared with a plain convolution of our own (kernels/verify_convolution.h).
#pragma once

#include <string>
#include <vector>

#include "cuda/convolution_form.h"
#include "cuda/device.h"

namespace eraserelu::cuda {

/// Memory of the device, freed with the object.
class DeviceMemory {
 public:
  explicit DeviceMemory(std::size_t bytes);   // throws OutOfMemory
  ~DeviceMemory() { cudaFree(data_); }
  DeviceMemory(DeviceMemory&& other) noexcept : data_(other.data_) { other.data_ = nullptr; }
  DeviceMemory(const DeviceMemory&) = delete;

  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

/// Operands for one graph of a form, made at the first run.
class EngineCheck {
 public:
  EngineCheck(const ConvolutionForm& form, std::int64_t images, bool fused, const Device& device)
      : form_(form), images_(images), fused_(fused), device_(device) {}

  /// The largest error of a sample of the results: the distance from the right value, relative to that or to the root of the sum of squares of what is
  /// added up for it, whichever is larger. NaN where a result is no number or was not written. Throws std::runtime_error in cuDNN's words when
  /// the engine cannot be run, OutOfMemory, and DeviceError.
  double error(const CudnnGraph& graph);

  /// Seconds of one execution: the least of a few. Throws as error() does.
  double seconds(const CudnnGraph& graph);

 private:
  void prepare();
  void run(const CudnnGraph& graph, const DeviceMemory& workspace) const;

  const ConvolutionForm& form_;
  const std::int64_t images_;
  const bool fused_;
  const Device& device_;
  std::vector<DeviceMemory> operands_;   // in the graph's order
};

/// The largest error that passes, for an engine that rounds its operands or not: f32 1e-5, or 1e-7 times the root of the number of products where that is more,
/// TF32 4e-3, bf16 1e-2, f16 2e-3.
double allowed_error(const ConvolutionForm& form, std::int64_t images, bool rounds);

}  // namespace eraserelu::cuda
