// A convolution as cuDNN sees it: the graph of conv2d, conv2dBwdData or conv2dBwdFilter with what can be fused, for the images of a launch. The kernels,
// the check of engines and whoever asks cuDNN what it supports build their graphs here.
#pragma once

#include <cstdint>
#include <vector>

#include "base/activation.h"
#include "cuda/cudnn_graph.h"
#include "cuda/kernels/verify_convolution.h"
#include "plan/op_desc.h"

namespace eraserelu::cuda {

class ConvolutionForm {
 public:
  explicit ConvolutionForm(const OpDesc& desc);

  /// A tensor of the graph in memory.
  struct Operand {
    const char* name;   // as the vocabulary calls it
    TensorDesc tensor;  // of a whole batch
    bool images;        // an activation: a launch takes its part
    bool written;
  };

  const OpDesc& desc() const { return desc_; }
  /// Which of x, w and y is computed.
  ConvolutionResult result() const { return result_; }
  /// relu only where conv2d ends in one.
  Activation activation() const { return activation_; }
  const Windows& windows() const { return windows_; }
  std::int64_t batch() const { return batch_; }
  /// Every launch but the last is about so many.
  std::int64_t images() const { return images_; }
  /// The numbers of images that launches come with: images(), and what is left at the end of the batch.
  std::vector<std::int64_t> launches() const;

  /// Whether there is anything to fuse: bias, residual or activation of conv2d, addend of conv2dBwdData.
  bool fusible() const;

  /// What the graph reads and writes, in the order in which CudnnGraph::execute takes the addresses.
  std::vector<Operand> operands(bool fused) const;

  /// `count` images of an activation, from the first image of any launch.
  TensorDesc part(const TensorDesc& activation, std::int64_t count) const;

  /// Fills a graph for `count` images; without `fused` it holds the convolution alone.
  void describe(CudnnGraph& graph, std::int64_t count, bool fused) const;

 private:
  OpDesc desc_;
  ConvolutionResult result_;
  Activation activation_ = Activation::identity;
  Windows windows_;
  std::int64_t batch_ = 0;
  std::int64_t images_ = 0;
};

}  // namespace eraserelu::cuda
