// Nobody has seen an engine of cuDNN computing the right thing on this device until it was checked: run once on random operands, and a sample of its results
// compared with what plain kernels of our own compute (convolution_check.h, batch_norm_check.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cuda/cudnn_graph.h"
#include "cuda/device.h"
#include "plan/op_desc.h"

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

/// " x[8,32,32,16]bf16@16"
std::string operand_text(const char* name, const TensorDesc& tensor);

/// Operands for one graph, made at the first run.
class EngineCheck {
 public:
  /// `form`: all that an engine's results and speed depend on beside device and versions, on one line.
  EngineCheck(const OpDesc& desc, std::string form, const Device& device) : device_(device), desc_(desc), form_(std::move(form)) {}
  virtual ~EngineCheck() = default;

  const OpDesc& desc() const { return desc_; }
  const std::string& form() const { return form_; }

  /// The largest error of a sample of the results, relative to what their rounding may cost. NaN where a result is no number or was not written. Throws
  /// std::runtime_error in cuDNN's words when the engine cannot be run, OutOfMemory, and DeviceError.
  virtual double error(const CudnnGraph& graph) = 0;

  /// The largest error that passes, for an engine that rounds its operands or not.
  virtual double allowed(bool rounds) const = 0;

  /// Which kernels of our own do the same, so that none of cuDNN's needs to be taken: what was found out is about these. "": none.
  virtual std::string own() const { return ""; }
  bool has_own() const { return !own().empty(); }
  virtual double own_seconds() { return 0; }

  /// Seconds of one execution: the least of a few. Throws as error() does.
  double seconds(const CudnnGraph& graph);

 protected:
  /// Of the graph's operands, in its order.
  virtual std::vector<void*> addresses() = 0;

  /// An execution with all that belongs to it.
  virtual void run(const CudnnGraph& graph, const DeviceMemory& workspace);
  double seconds_of(const std::function<void()>& launches);

  const Device& device_;

 private:
  const OpDesc desc_;
  const std::string form_;
};

}  // namespace eraserelu::cuda
