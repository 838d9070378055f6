// An engine for batch norm, checked against our own kernels of the two operations that it does at once.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "cuda/batch_norm_form.h"
#include "cuda/engine_check.h"

namespace eraserelu::cuda {

class BatchNormCheck final : public EngineCheck {
 public:
  BatchNormCheck(const BatchNormForm& form, Device& device);

  /// The distance from what our own kernels computed, relative to that or to the root mean square of a sample of it, whichever is larger (invstd: to that); 1 where
  /// a bit of a mask is not that of the y beside it. What is of another type than x counts as many times as the type of x allows more.
  double error(const CudnnGraph& graph) override;

  /// What limit() says of x.
  double allowed(bool rounds) const override;

  std::string own() const override;
  double own_seconds() override;

 private:
  std::vector<void*> addresses() override;
  void run(const CudnnGraph& graph, const DeviceMemory& workspace) override;
  void prepare();
  std::unique_ptr<Kernel> bound(const OpDesc& desc);
  void launch_own();
  /// f32 1e-5, or 1e-7 times the root of the number of values of a channel where that is more; bf16 1e-2, f16 2e-3.
  double limit(DType dtype) const;
  void read(const void* memory, const TensorDesc& tensor, std::int64_t first, std::int64_t count, std::vector<double>& values) const;
  std::vector<double> sample(const void* memory, const TensorDesc& tensor) const;
  std::vector<double> sample_of_bits(const void* memory, const TensorDesc& like) const;

  const BatchNormForm& form_;
  Device& gpu_;
  std::map<std::string, DeviceMemory> own_;   // what our kernels read and write, by operand
  std::vector<DeviceMemory> scratchpads_;
  std::unique_ptr<Kernel> first_, second_;
  std::vector<DeviceMemory> results_;   // what the engine writes, in the graph's order
};

}  // namespace eraserelu::cuda
