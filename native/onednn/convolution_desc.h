// The geometry of one convolution in oneDNN's words.
#pragma once

#include "onednn/library.h"

namespace eraserelu::cpu {

/// Activations are dense NHWC, filters dense KRSC in the store and whatever the primitive asks for in a packed copy.
class ConvolutionDesc {
 public:
  ConvolutionDesc(const OpDesc& desc, const TensorDesc& x, const TensorDesc& w, const TensorDesc& y);

  dnnl::memory::desc x(std::int64_t images) const;
  dnnl::memory::desc y(std::int64_t images) const;
  dnnl::memory::desc bias() const;
  dnnl::memory::desc filter() const;       // as the store keeps it
  dnnl::memory::desc any_filter() const;   // the primitive's choice
  dnnl::memory::desc any_gradient() const;   // of a filter, in f32: chunks are added up

  /// What the primitives of both gradients must be given: the forward convolution they belong to.
  dnnl::convolution_forward::primitive_desc forward_hint(std::int64_t images) const;

  std::int64_t x_image() const { return height_ * width_ * channels_; }   // elements
  std::int64_t y_image() const { return outHeight_ * outWidth_ * filters_; }

  dnnl::memory::dims stride, dilation, padBegin, padEnd;
  std::int64_t batch;

 private:
  dnnl::memory::data_type type_;   // of activations and filters
  dnnl::memory::desc activation(std::int64_t images, std::int64_t height, std::int64_t width, std::int64_t channels) const;
  dnnl::memory::dims filter_dims() const;

  std::int64_t height_, width_, channels_, outHeight_, outWidth_, filters_, kernelHeight_, kernelWidth_, groups_;
  bool linear_;   // 1x1 on images of one pixel: the batch becomes the rows of one image, so that it is one matrix product
};

}  // namespace eraserelu::cpu
