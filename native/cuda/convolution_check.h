// A convolution's engine, checked against a plain convolution in double (kernels/verify_convolution.h).
#pragma once

#include "cuda/convolution_form.h"
#include "cuda/engine_check.h"

namespace eraserelu::cuda {

class ConvolutionEngineCheck final : public EngineCheck {
 public:
  ConvolutionEngineCheck(const ConvolutionForm& form, std::int64_t images, bool fused, const Device& device);

  /// The distance from the right value, relative to that or to the root of the sum of squares of what is added up for it, whichever is larger.
  double error(const CudnnGraph& graph) override;

  /// f32 1e-5, or 1e-7 times the root of the number of products where that is more, TF32 4e-3, bf16 1e-2, f16 2e-3.
  double allowed(bool rounds) const override;

 private:
  std::vector<void*> addresses() override;
  void prepare();

  const ConvolutionForm& form_;
  const std::int64_t images_;
  const bool fused_;
  std::vector<DeviceMemory> operands_;   // in the graph's order
};

}  // namespace eraserelu::cuda
