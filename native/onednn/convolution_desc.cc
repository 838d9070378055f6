#include "onednn/convolution_desc.h"

#include <utility>

namespace eraserelu::cpu {

using dnnl::memory;

ConvolutionDesc::ConvolutionDesc(const OpDesc& desc, const TensorDesc& x, const TensorDesc& w, const TensorDesc& y)
    : stride(desc.attributes.integers("stride")),
      dilation(desc.attributes.integers("dilation")),
      batch(x.dim(0)),
      type_(x.dtype == DType::bf16 ? memory::data_type::bf16 : memory::data_type::f32),
      height_(x.dim(1)),
      width_(x.dim(2)),
      channels_(x.dim(3)),
      outHeight_(y.dim(1)),
      outWidth_(y.dim(2)),
      filters_(y.dim(3)),
      kernelHeight_(w.dim(1)),
      kernelWidth_(w.dim(2)),
      groups_(desc.attributes.integer("groups")) {
  for (auto& step : dilation) --step;   // oneDNN counts the gap
  const Shape pad = desc.attributes.integers("pad");
  padBegin = {pad[0], pad[2]};
  padEnd = {pad[1], pad[3]};
  linear_ = height_ * width_ == 1 && kernelHeight_ * kernelWidth_ == 1 && outHeight_ * outWidth_ == 1 &&
            pad == Shape{0, 0, 0, 0};
  if (linear_) stride = {1, 1};
}

memory::desc ConvolutionDesc::activation(std::int64_t images, std::int64_t height, std::int64_t width,
                                         std::int64_t channels) const {
  if (linear_) std::swap(images, height);
  return {{images, channels, height, width}, type_, memory::format_tag::nhwc};
}

memory::desc ConvolutionDesc::x(std::int64_t images) const { return activation(images, height_, width_, channels_); }
memory::desc ConvolutionDesc::y(std::int64_t images) const { return activation(images, outHeight_, outWidth_, filters_); }

memory::desc ConvolutionDesc::bias() const { return {{filters_}, memory::data_type::f32, memory::format_tag::a}; }

memory::dims ConvolutionDesc::filter_dims() const {
  if (groups_ == 1) return {filters_, channels_, kernelHeight_, kernelWidth_};
  return {groups_, filters_ / groups_, channels_ / groups_, kernelHeight_, kernelWidth_};
}

memory::desc ConvolutionDesc::filter() const {
  const std::int64_t column = channels_ / groups_, row = kernelWidth_ * column, filter = kernelHeight_ * row;
  memory::dims strides = {filter, 1, row, column};
  if (groups_ > 1) strides.insert(strides.begin(), filters_ / groups_ * filter);
  return {filter_dims(), type_, strides};
}

memory::desc ConvolutionDesc::any_filter() const { return {filter_dims(), type_, memory::format_tag::any}; }

memory::desc ConvolutionDesc::any_gradient() const { return {filter_dims(), memory::data_type::f32, memory::format_tag::any}; }

dnnl::convolution_forward::primitive_desc ConvolutionDesc::forward_hint(std::int64_t images) const {
  return {library_engine(), dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, x(images), any_filter(),
          y(images), stride, dilation, padBegin, padEnd};
}

}  // namespace eraserelu::cpu
