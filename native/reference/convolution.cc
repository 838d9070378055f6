// Convolution and its gradients.
#include <algorithm>

#include "base/activation.h"
#include "reference/kernel.h"
#include "reference/window_axis.h"

namespace eraserelu::reference {

namespace {

/// Sizes of one convolution: images [N,H,W,C], filters [K,R,S,C/G], outputs [N,OH,OW,K].
struct Geometry {
  Geometry(const Shape& x, const Shape& w, const Shape& y, const Attributes& attributes)
      : rows(window_axis(0, x, y, w[1], attributes)), columns(window_axis(1, x, y, w[2], attributes)), channels(x[3]),
        filters(w[0]), groupChannels(w[3]), groupFilters(w[0] / attributes.integer("groups")) {}

  WindowAxis rows, columns;
  std::int64_t channels, filters, groupChannels, groupFilters;

  std::int64_t first_channel(std::int64_t k) const { return k / groupFilters * groupChannels; }

  // Offsets: x and y of a pixel, w of one tap of one filter.
  std::int64_t x(std::int64_t n, std::int64_t h, std::int64_t w) const {
    return ((n * rows.in + h) * columns.in + w) * channels;
  }
  std::int64_t y(std::int64_t n, std::int64_t h, std::int64_t w) const {
    return ((n * rows.out + h) * columns.out + w) * filters;
  }
  std::int64_t w(std::int64_t k, std::int64_t r, std::int64_t s) const {
    return ((k * rows.kernel + r) * columns.kernel + s) * groupChannels;
  }
};

class Conv2d : public ReferenceKernel {
 public:
  explicit Conv2d(const OpDesc& desc) : ReferenceKernel(desc), activation_(activation_named(attributes().text("activation"))) {}

  void launch(std::int64_t first, std::int64_t count) override {
    for (std::int64_t n = first; n < first + count; ++n)
      for (std::int64_t i = 0; i < g_.rows.out; ++i)
        for (std::int64_t j = 0; j < g_.columns.out; ++j)
          for (std::int64_t k = 0; k < g_.filters; ++k) {
            const std::int64_t at = g_.y(n, i, j) + k;
            double value = window_sum(n, i, j, k);
            if (bias_) value += bias_[k];
            if (residual_) value += residual_[at];
            y_[at] = activate(activation_, value);
          }
  }

 private:
  double window_sum(std::int64_t n, std::int64_t i, std::int64_t j, std::int64_t k) const {
    double total = 0;
    for (std::int64_t r = 0; r < g_.rows.kernel; ++r)
      for (std::int64_t s = 0; s < g_.columns.kernel; ++s) {
        const std::int64_t h = g_.rows.source(i, r), w = g_.columns.source(j, s);
        if (h < 0 || w < 0) continue;
        const Reals pixel = x_ + g_.x(n, h, w) + g_.first_channel(k);
        const Reals tap = w_ + g_.w(k, r, s);
        for (std::int64_t c = 0; c < g_.groupChannels; ++c) total += pixel[c] * tap[c];
      }
    return total;
  }

  Read<AnyFloat> x_{this, "x"}, w_{this, "w"}, residual_{this, "residual"};
  Read<float> bias_{this, "bias"};
  Write<AnyFloat> y_{this, "y"};
  const Activation activation_;
  const Geometry g_{x_.shape(), w_.shape(), y_.shape(), attributes()};
};

class Conv2dBwdData : public ReferenceKernel {
 public:
  explicit Conv2dBwdData(const OpDesc& desc) : ReferenceKernel(desc) { use_scratch(g_.channels); }

  void launch(std::int64_t first, std::int64_t count) override {
    for (std::int64_t n = first; n < first + count; ++n)
      for (std::int64_t h = 0; h < g_.rows.in; ++h)
        for (std::int64_t w = 0; w < g_.columns.in; ++w) {
          sum_pixel(n, h, w);
          const std::int64_t at = g_.x(n, h, w);
          for (std::int64_t c = 0; c < g_.channels; ++c)
            dx_[at + c] = scratch_[c] + (addend_ ? addend_[at + c] : 0.0);
        }
  }

 private:
  /// The gradient of one pixel's channels, into the scratchpad: from every window that reads the pixel.
  void sum_pixel(std::int64_t n, std::int64_t h, std::int64_t w) {
    std::fill_n(scratch_, g_.channels, 0.0);
    for (std::int64_t r = 0; r < g_.rows.kernel; ++r)
      for (std::int64_t s = 0; s < g_.columns.kernel; ++s) {
        const std::int64_t i = g_.rows.window(h, r), j = g_.columns.window(w, s);
        if (i < 0 || j < 0) continue;
        const Reals dy = dy_ + g_.y(n, i, j);
        for (std::int64_t k = 0; k < g_.filters; ++k) {
          const Reals tap = w_ + g_.w(k, r, s);
          double* total = scratch_ + g_.first_channel(k);
          for (std::int64_t c = 0; c < g_.groupChannels; ++c) total[c] += dy[k] * tap[c];
        }
      }
  }

  Read<AnyFloat> dy_{this, "dy"}, w_{this, "w"}, addend_{this, "addend"};
  Write<AnyFloat> dx_{this, "dx"};
  const Geometry g_{dx_.shape(), w_.shape(), dy_.shape(), attributes()};
};

class Conv2dBwdFilter : public ReferenceKernel {
 public:
  explicit Conv2dBwdFilter(const OpDesc& desc) : ReferenceKernel(desc) { use_scratch(dw_.elements()); }

  void launch(std::int64_t first, std::int64_t count) override {
    if (first == 0) std::fill_n(scratch_, dw_.elements(), 0.0);
    for (std::int64_t n = first; n < first + count; ++n)
      for (std::int64_t i = 0; i < g_.rows.out; ++i)
        for (std::int64_t j = 0; j < g_.columns.out; ++j) add_window(n, i, j);
    if (first + count == dy_.dim(0))
      for (std::int64_t e = 0; e < dw_.elements(); ++e) dw_[e] = scratch_[e];
  }

 private:
  void add_window(std::int64_t n, std::int64_t i, std::int64_t j) {
    const Reals dy = dy_ + g_.y(n, i, j);
    for (std::int64_t r = 0; r < g_.rows.kernel; ++r)
      for (std::int64_t s = 0; s < g_.columns.kernel; ++s) {
        const std::int64_t h = g_.rows.source(i, r), w = g_.columns.source(j, s);
        if (h < 0 || w < 0) continue;
        for (std::int64_t k = 0; k < g_.filters; ++k) {
          const Reals pixel = x_ + g_.x(n, h, w) + g_.first_channel(k);
          double* total = scratch_ + g_.w(k, r, s);
          for (std::int64_t c = 0; c < g_.groupChannels; ++c) total[c] += dy[k] * pixel[c];
        }
      }
  }

  Read<AnyFloat> dy_{this, "dy"}, x_{this, "x"};
  Write<AnyFloat> dw_{this, "dw"};
  const Geometry g_{x_.shape(), dw_.shape(), dy_.shape(), attributes()};
};

class BiasBwd : public ReferenceKernel {
 public:
  explicit BiasBwd(const OpDesc& desc) : ReferenceKernel(desc) { use_scratch(db_.elements()); }

  void launch(std::int64_t first, std::int64_t count) override {
    const std::int64_t channels = db_.elements();
    if (first == 0) std::fill_n(scratch_, channels, 0.0);
    for (std::int64_t e = first * dy_.image_elements(); e < (first + count) * dy_.image_elements(); ++e)
      scratch_[e % channels] += dy_[e];
    if (first + count == dy_.dim(0))
      for (std::int64_t c = 0; c < channels; ++c) db_[c] = static_cast<float>(scratch_[c]);
  }

 private:
  Read<AnyFloat> dy_{this, "dy"};
  Write<float> db_{this, "db"};
};

}  // namespace

const std::vector<KernelRow> kConvolutionKernels = {
    {"conv2d", make<Conv2d>},
    {"conv2dBwdData", make<Conv2dBwdData>},
    {"conv2dBwdFilter", make<Conv2dBwdFilter>},
    {"biasBwd", make<BiasBwd>},
};

}  // namespace eraserelu::reference
