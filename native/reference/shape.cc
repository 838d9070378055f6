// Operations that move or gather elements: concat, slice, the parameter-free shortcut, reductions over axes.
#include <algorithm>
#include <cmath>

#include "reference/kernel.h"
#include "reference/strides.h"

namespace eraserelu::reference {

namespace {

/// Joins the inputs along one axis: for each index before the axis, a run of every input in turn.
class Concat : public Kernel {
 public:
  explicit Concat(const OpDesc& desc) : bindings_() {
    const std::size_t axis = static_cast<std::size_t>(desc.attributes.integer("axis"));
    for (const TensorDesc& input : desc.reads) {
      std::int64_t run = 1;
      for (std::size_t i = axis; i < input.shape.size(); ++i) run *= input.shape[i];
      const auto element = static_cast<std::int64_t>(bytes_of(input.dtype));
      runs_.push_back(run * element);
      steps_.push_back((input.pitched() ? input.pitch : run) * element);
      yStep_ += runs_.back();
      outer_ = input.elements() / run;
    }
    const TensorDesc& y = desc.write("y");
    if (y.pitched()) yStep_ = y.pitch * static_cast<std::int64_t>(bytes_of(y.dtype));
  }

  Requirements requirements() const override {
    Requirements requirements;
    requirements.engine = "loops";
    return requirements;
  }
  void bind(const Bindings& bindings) override { bindings_ = bindings; }

  void launch(std::int64_t, std::int64_t) override {
    for (std::int64_t o = 0; o < outer_; ++o) {
      char* y = static_cast<char*>(bindings_.writes[0]) + o * yStep_;
      for (std::size_t i = 0; i < runs_.size(); ++i)
        y = std::copy_n(static_cast<const char*>(bindings_.reads[i]) + o * steps_[i], runs_[i], y);
    }
  }

 private:
  Bindings bindings_;
  std::vector<std::int64_t> runs_, steps_;   // bytes of an input's run, and from it to the next
  std::int64_t yStep_ = 0;
  std::int64_t outer_ = 1;
};

/// Where a slice lies in the whole tensor.
struct Window {
  Window(const Shape& whole, const Shape& begin) : strides(whole.size()) {
    std::int64_t stride = 1;
    for (std::size_t i = whole.size(); i-- > 0; stride *= whole[i]) {
      strides[i] = stride;
      origin += begin[i] * stride;
    }
  }

  Shape strides;
  std::int64_t origin = 0;
};

class Slice : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t, std::int64_t) override {
    for (std::int64_t e = 0; e < y_.elements(); ++e)
      y_[e] = x_[window_.origin + strided_offset(e, y_.shape(), window_.strides)];
  }

 private:
  Read<AnyFloat> x_{this, "x"};
  Write<AnyFloat> y_{this, "y"};
  const Window window_{x_.shape(), attributes().integers("begin")};
};

class SliceBwd : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t, std::int64_t) override {
    for (std::int64_t e = 0; e < dx_.elements(); ++e) dx_[e] = 0;
    for (std::int64_t e = 0; e < dy_.elements(); ++e)
      dx_[window_.origin + strided_offset(e, dy_.shape(), window_.strides)] = dy_[e];
  }

 private:
  Read<AnyFloat> dy_{this, "dy"};
  Write<AnyFloat> dx_{this, "dx"};
  const Window window_{dx_.shape(), attributes().integers("begin")};
};

class Reduce : public ReferenceKernel {
 public:
  explicit Reduce(const OpDesc& desc) : ReferenceKernel(desc) { use_scratch(y_.elements()); }

  void launch(std::int64_t, std::int64_t) override {
    std::fill_n(scratch_, y_.elements(), max_ ? -INFINITY : 0.0);
    for (std::int64_t e = 0; e < x_.elements(); ++e) {
      double& total = scratch_[strided_offset(e, x_.shape(), strides_)];
      const double x = x_[e];
      if (!max_) total += x;
      else if (x > total || std::isnan(x)) total = x;
    }
    const double divisor = mean_ ? static_cast<double>(x_.elements() / y_.elements()) : 1.0;
    for (std::int64_t e = 0; e < y_.elements(); ++e) y_[e] = scratch_[e] / divisor;
  }

 private:
  Read<AnyFloat> x_{this, "x"};
  Write<AnyFloat> y_{this, "y"};
  const Shape strides_ = broadcast_strides(y_.shape());
  const bool max_ = attributes().text("fn") == "max", mean_ = attributes().text("fn") == "mean";
};

/// Every stride-th pixel; the channels that the output has more are zero.
class ShortcutA : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    for (std::int64_t n = first; n < first + count; ++n)
      for (std::int64_t i = 0; i < y_.dim(1); ++i)
        for (std::int64_t j = 0; j < y_.dim(2); ++j) {
          const Reals from = x_ + ((n * x_.dim(1) + i * stride_[0]) * x_.dim(2) + j * stride_[1]) * x_.channels();
          const std::int64_t to = ((n * y_.dim(1) + i) * y_.dim(2) + j) * y_.channels();
          for (std::int64_t c = 0; c < y_.channels(); ++c) y_[to + c] = c < x_.channels() ? from[c] : 0.0;
        }
  }

 private:
  Read<AnyFloat> x_{this, "x"};
  Write<AnyFloat> y_{this, "y"};
  const Shape stride_ = attributes().integers("stride");
};

class ShortcutABwd : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    for (std::int64_t n = first; n < first + count; ++n)
      for (std::int64_t h = 0; h < dx_.dim(1); ++h)
        for (std::int64_t w = 0; w < dx_.dim(2); ++w) {
          const bool picked = h % stride_[0] == 0 && w % stride_[1] == 0;
          const Reals from = dy_ + ((n * dy_.dim(1) + h / stride_[0]) * dy_.dim(2) + w / stride_[1]) * dy_.channels();
          const std::int64_t to = ((n * dx_.dim(1) + h) * dx_.dim(2) + w) * dx_.channels();
          for (std::int64_t c = 0; c < dx_.channels(); ++c) dx_[to + c] = picked ? from[c] : 0.0;
        }
  }

 private:
  Read<AnyFloat> dy_{this, "dy"};
  Write<AnyFloat> dx_{this, "dx"};
  const Shape stride_ = attributes().integers("stride");
};

}  // namespace

const std::vector<KernelRow> kShapeKernels = {
    {"concat", make<Concat>},
    {"slice", make<Slice>},
    {"sliceBwd", make<SliceBwd>},
    {"reduce", make<Reduce>},
    {"shortcutA", make<ShortcutA>},
    {"shortcutABwd", make<ShortcutABwd>},
};

}  // namespace eraserelu::reference
