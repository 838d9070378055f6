// Operations that treat every element alone: relu, add, dropout, scaling, casts, pointwise functions.
#include <cmath>
#include <limits>

#include "base/activation.h"
#include "base/dropout.h"
#include "base/pointwise.h"
#include "reference/kernel.h"
#include "reference/strides.h"

namespace eraserelu::reference {

namespace {

class Relu : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    for (std::int64_t e = first * x_.image_elements(); e < (first + count) * x_.image_elements(); ++e) y_[e] = relu(x_[e]);
  }

 private:
  Read<AnyFloat> x_{this, "x"};
  Write<AnyFloat> y_{this, "y"};
};

class ReluBwd : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    for (std::int64_t e = first * y_.image_elements(); e < (first + count) * y_.image_elements(); ++e)
      dx_[e] = y_[e] > 0 ? dy_[e] : 0.0;
  }

 private:
  Read<AnyFloat> dy_{this, "dy"}, y_{this, "y"};
  Write<AnyFloat> dx_{this, "dx"};
};

class Add : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    for (std::int64_t e = first * y_.image_elements(); e < (first + count) * y_.image_elements(); ++e) y_[e] = a_[e] + b_[e];
  }

 private:
  Read<AnyFloat> a_{this, "a"}, b_{this, "b"};
  Write<AnyFloat> y_{this, "y"};
};

/// Both directions do the same: they drop and scale the same elements.
class Dropout : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    for (std::int64_t e = first * in_.image_elements(); e < (first + count) * in_.image_elements(); ++e)
      out_[e] = dropout_keeps(*step_, opId_, e, in_.elements(), static_cast<float>(p_)) ? in_[e] / (1 - p_) : 0.0;
  }

 private:
  Read<AnyFloat> in_{this, desc_.is("dropout") ? "x" : "dy"};
  Write<AnyFloat> out_{this, desc_.is("dropout") ? "y" : "dx"};
  const double p_ = attributes().number("p");
  const std::uint32_t opId_ = static_cast<std::uint32_t>(attributes().integer("opId"));
};

class ScaleSamples : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    for (std::int64_t e = first * x_.image_elements(); e < (first + count) * x_.image_elements(); ++e)
      y_[e] = x_[e] * scale_[e / x_.image_elements()];
  }

 private:
  Read<AnyFloat> x_{this, "x"}, scale_{this, "scale"};
  Write<AnyFloat> y_{this, "y"};
};

class Pointwise : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t, std::int64_t) override {
    for (std::int64_t e = 0; e < y_.elements(); ++e) {
      const double a = a_[strided_offset(e, y_.shape(), stridesA_)];
      const double b = b_ ? b_[strided_offset(e, y_.shape(), stridesB_)] : 0.0;
      y_[e] = pointwise(fn_, a, b, alpha_, beta_);
    }
  }

 private:
  Read<AnyFloat> a_{this, "a"}, b_{this, "b"};
  Write<AnyFloat> y_{this, "y"};
  const PointwiseFn fn_ = pointwise_fn_named(attributes().text("fn"));
  const double alpha_ = attributes().number("alpha"), beta_ = attributes().number("beta");
  const Shape stridesA_ = broadcast_strides(a_.shape()), stridesB_ = broadcast_strides(b_.shape());
};

class Cast : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t, std::int64_t) override {
    for (std::int64_t e = 0; e < x_.elements(); ++e) store(e, load(e));
  }

 private:
  double load(std::int64_t e) const {
    const void* x = x_;
    if (x_.dtype() == DType::u8) return static_cast<const std::uint8_t*>(x)[e];
    if (x_.dtype() == DType::i32) return static_cast<const std::int32_t*>(x)[e];
    return Reals(const_cast<void*>(x), x_.dtype())[e];
  }

  void store(std::int64_t e, double value) const {
    void* y = y_;
    if (y_.dtype() == DType::u8) static_cast<std::uint8_t*>(y)[e] = saturate<std::uint8_t>(value);
    else if (y_.dtype() == DType::i32) static_cast<std::int32_t*>(y)[e] = saturate<std::int32_t>(value);
    else Reals(y, y_.dtype()).set(e, value);
  }

  /// Rounds half to even; NaN becomes 0.
  template <typename Integer>
  static Integer saturate(double value) {
    constexpr double lowest = std::numeric_limits<Integer>::lowest(), highest = std::numeric_limits<Integer>::max();
    if (std::isnan(value)) return 0;
    if (value <= lowest) return std::numeric_limits<Integer>::lowest();
    if (value >= highest) return std::numeric_limits<Integer>::max();
    return static_cast<Integer>(std::nearbyint(value));
  }

  Read<void> x_{this, "x"};
  Write<void> y_{this, "y"};
};

class Fill : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t, std::int64_t) override {
    for (std::int64_t e = 0; e < y_.elements(); ++e) y_[e] = value_;
  }

 private:
  Write<AnyFloat> y_{this, "y"};
  const double value_ = attributes().number("value");
};

/// Adds up the microbatches of one step.
class Sum : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t, std::int64_t) override {
    for (std::int64_t e = 0; e < x_.elements(); ++e) total_[e] = static_cast<float>(step_->micro == 0 ? x_[e] : total_[e] + x_[e]);
  }

 private:
  Read<AnyFloat> x_{this, "x"};
  Write<float> total_{this, "total"};
};

}  // namespace

const std::vector<KernelRow> kElementwiseKernels = {
    {"relu", make<Relu>},
    {"reluBwd", make<ReluBwd>},
    {"add", make<Add>},
    {"dropout", make<Dropout>},
    {"dropoutBwd", make<Dropout>},
    {"scaleSamples", make<ScaleSamples>},
    {"pointwise", make<Pointwise>},
    {"cast", make<Cast>},
    {"fill", make<Fill>},
    {"sum", make<Sum>},
};

}  // namespace eraserelu::reference
