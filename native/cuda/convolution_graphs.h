// What the three convolution kernels share: cuDNN's graphs for the images of a launch, and where an image is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "cuda/convolution_form.h"

namespace eraserelu::cuda {

/// An activation in memory, by image.
class Images {
 public:
  explicit Images(const TensorDesc& activation)
      : bytes_(activation.present ? static_cast<std::int64_t>(activation.bytes()) / activation.dim(0) : 0) {}

  void bind(const void* memory) { memory_ = static_cast<char*>(const_cast<void*>(memory)); }
  bool present() const { return memory_ != nullptr; }
  void* at(std::int64_t image) const { return memory_ + image * bytes_; }

 private:
  std::int64_t bytes_;   // of one image
  char* memory_ = nullptr;
};

/// The graphs of one kernel: one for the images of a launch, and one for what is left at the end of the batch.
class ConvolutionGraphs {
 public:
  /// Where there is something to fuse and no engine does it right, the graphs are those of the convolution alone. Throws Unsupported.
  ConvolutionGraphs(const ConvolutionForm& form, const Device& device, const Policy& policy);

  bool fused() const { return fused_; }
  const std::map<std::int64_t, CudnnGraph>& graphs() const { return graphs_; }   // by images
  /// The scratchpad is cuDNN's workspace, which begins anywhere; the engine "cudnn eng12_k2=3".
  const Requirements& requirements() const { return requirements_; }

  void bind(char* workspace);

  /// `addresses`: of the graph's tensors in memory, in the order in which they were described.
  void execute(std::int64_t images, std::vector<void*>& addresses) const;

 private:
  void build(const ConvolutionForm& form, const Policy& policy);

  const Device& device_;
  bool fused_;
  std::map<std::int64_t, CudnnGraph> graphs_;   // by images
  Requirements requirements_;
  void* workspaceAt_ = nullptr;
};

}  // namespace eraserelu::cuda
