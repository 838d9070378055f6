// Batch norm: statistics, application, their gradients, the running statistics, and the form with fixed statistics.
// `rows` are the values of one channel: all dimensions but the last, flattened.
#include <algorithm>
#include <cmath>

#include "base/activation.h"
#include "base/mask.h"
#include "base/optimizer_formulas.h"
#include "plan/running_ranges.h"
#include "reference/kernel.h"

namespace eraserelu::reference {

namespace {

/// The value before the activation.
double bn_value(double x, double mean, double invstd, double gamma, double beta) { return gamma * (x - mean) * invstd + beta; }

/// The byte of the mask with the bit of element e.
std::int64_t mask_byte(std::int64_t e, std::int64_t channels) {
  return e / channels * mask_bytes(channels) + e % channels / 8;
}

double invstd_of(double variance, double epsilon) { return 1.0 / std::sqrt(variance + epsilon); }

/// Welford's running mean and sum of squared deviations, in double, value by value: how the batch was cut cannot matter.
class BnStats : public ReferenceKernel {
 public:
  explicit BnStats(const OpDesc& desc) : ReferenceKernel(desc) { use_scratch(2 * x_.channels()); }

  void launch(std::int64_t first, std::int64_t count) override {
    const std::int64_t channels = x_.channels(), imageRows = x_.image_elements() / channels;
    double* means = scratch_;
    double* squares = scratch_ + channels;
    if (first == 0) std::fill_n(scratch_, 2 * channels, 0.0);
    for (std::int64_t row = first * imageRows; row < (first + count) * imageRows; ++row)
      for (std::int64_t c = 0; c < channels; ++c) {
        const double x = x_[row * channels + c], delta = x - means[c];
        means[c] += delta / static_cast<double>(row + 1);
        squares[c] += delta * (x - means[c]);
      }
    if (first + count < x_.dim(0)) return;
    for (std::int64_t c = 0; c < channels; ++c) {
      const double variance = squares[c] / static_cast<double>(x_.elements() / channels);
      mean_[c] = static_cast<float>(means[c]);
      variance_[c] = static_cast<float>(variance);
      invstd_[c] = static_cast<float>(invstd_of(variance, epsilon_));
    }
  }

 private:
  Read<AnyFloat> x_{this, "x"};
  Write<float> mean_{this, "mean"}, invstd_{this, "invstd"}, variance_{this, "variance"};
  const double epsilon_ = attributes().number("epsilon");
};

/// bnApply, which reads invstd, and batchNormInfer, which reads the variance.
template <bool kInfer>
class BnApply : public ReferenceKernel {
 public:
  explicit BnApply(const OpDesc& desc) : ReferenceKernel(desc), activation_(activation_named(attributes().text("activation"))) {
    if (kInfer) epsilon_ = attributes().number("epsilon");
  }

  void launch(std::int64_t first, std::int64_t count) override {
    for (std::int64_t e = first * x_.image_elements(); e < (first + count) * x_.image_elements(); ++e) {
      const std::int64_t c = e % x_.channels();
      const double invstd = kInfer ? invstd_of(spread_[c], epsilon_) : spread_[c];
      double value = bn_value(x_[e], mean_[c], invstd, gamma_[c], beta_[c]);
      if (residual_) value += residual_[e];
      y_[e] = activate(activation_, value);
      if (mask_) set_bit(e, c, value > 0);
    }
  }

 private:
  void set_bit(std::int64_t e, std::int64_t c, bool active) {
    std::uint8_t& byte = mask_[mask_byte(e, x_.channels())];
    if (c % 8 == 0) byte = 0;
    byte = static_cast<std::uint8_t>(byte | active << c % 8);
  }

  Read<AnyFloat> x_{this, "x"}, residual_{this, "residual"};
  Read<float> mean_{this, "mean"}, spread_{this, kInfer ? "variance" : "invstd"}, gamma_{this, "gamma"}, beta_{this, "beta"};
  Write<AnyFloat> y_{this, "y"};
  Write<std::uint8_t> mask_{this, "mask"};
  const Activation activation_;
  double epsilon_ = 0;
};

/// What the three gradients share: the gradient that passed the activation, and the normalised input.
template <bool kInfer>
class BnGradient : public ReferenceKernel {
 public:
  explicit BnGradient(const OpDesc& desc)
      : ReferenceKernel(desc), activation_(activation_named(attributes().text("activation"))) {
    if (kInfer) epsilon_ = attributes().number("epsilon");
  }

 protected:
  double invstd(std::int64_t c) const { return kInfer ? invstd_of(spread_[c], epsilon_) : spread_[c]; }

  double gradient(std::int64_t e, std::int64_t c) const {
    if (activation_ == Activation::identity) return dy_[e];
    const bool active = mask_ ? (mask_[mask_byte(e, x_.channels())] >> c % 8 & 1) != 0
                              : bn_value(x_[e], mean_[c], invstd(c), gamma_[c], beta_[c]) > 0;
    return active ? dy_[e] : 0.0;
  }

  double normalised(std::int64_t e, std::int64_t c) const { return (x_[e] - static_cast<double>(mean_[c])) * invstd(c); }

  /// Sums g·x̂ and g a channel over some images into the scratchpad.
  void accumulate(std::int64_t first, std::int64_t count) {
    const std::int64_t channels = x_.channels();
    if (first == 0) std::fill_n(scratch_, 2 * channels, 0.0);
    for (std::int64_t e = first * x_.image_elements(); e < (first + count) * x_.image_elements(); ++e) {
      const std::int64_t c = e % channels;
      const double g = gradient(e, c);
      scratch_[c] += g * normalised(e, c);
      scratch_[channels + c] += g;
    }
  }

  void write_sums(float* dgamma, float* dbeta) const {
    for (std::int64_t c = 0; c < x_.channels(); ++c) {
      dgamma[c] = static_cast<float>(scratch_[c]);
      dbeta[c] = static_cast<float>(scratch_[x_.channels() + c]);
    }
  }

  Read<AnyFloat> dy_{this, "dy"}, x_{this, "x"};
  Read<float> mean_{this, "mean"}, spread_{this, kInfer ? "variance" : "invstd"}, gamma_{this, "gamma"}, beta_{this, "beta"};
  Read<std::uint8_t> mask_{this, "mask"};

 private:
  const Activation activation_;
  double epsilon_ = 0;
};

class BnBwdReduce : public BnGradient<false> {
 public:
  explicit BnBwdReduce(const OpDesc& desc) : BnGradient(desc) { use_scratch(2 * x_.channels()); }

  void launch(std::int64_t first, std::int64_t count) override {
    accumulate(first, count);
    if (first + count == x_.dim(0)) write_sums(dgamma_, dbeta_);
  }

 private:
  Write<float> dgamma_{this, "dgamma"}, dbeta_{this, "dbeta"};
};

class BnBwdApply : public BnGradient<false> {
 public:
  using BnGradient::BnGradient;

  void launch(std::int64_t first, std::int64_t count) override {
    const double m = static_cast<double>(x_.elements() / x_.channels());
    for (std::int64_t e = first * x_.image_elements(); e < (first + count) * x_.image_elements(); ++e) {
      const std::int64_t c = e % x_.channels();
      const double g = gradient(e, c);
      dx_[e] = gamma_[c] * invstd(c) * (g - dbeta_[c] / m - normalised(e, c) * dgamma_[c] / m);
      if (dresidual_) dresidual_[e] = g;
    }
  }

 private:
  Read<float> dgamma_{this, "dgamma"}, dbeta_{this, "dbeta"};
  Write<AnyFloat> dx_{this, "dx"}, dresidual_{this, "dresidual"};
};

class BatchNormInferBwd : public BnGradient<true> {
 public:
  explicit BatchNormInferBwd(const OpDesc& desc) : BnGradient(desc) { use_scratch(2 * x_.channels()); }

  void launch(std::int64_t first, std::int64_t count) override {
    accumulate(first, count);
    for (std::int64_t e = first * x_.image_elements(); e < (first + count) * x_.image_elements(); ++e) {
      const std::int64_t c = e % x_.channels();
      const double g = gradient(e, c);
      dx_[e] = gamma_[c] * invstd(c) * g;
      if (dresidual_) dresidual_[e] = g;
    }
    if (first + count == x_.dim(0)) write_sums(dgamma_, dbeta_);
  }

 private:
  Write<AnyFloat> dx_{this, "dx"}, dresidual_{this, "dresidual"};
  Write<float> dgamma_{this, "dgamma"}, dbeta_{this, "dbeta"};
};

class BnRunningUpdate : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t, std::int64_t) override {
    if (state_[kStateFinite] == 0) return;
    for (const RunningRange& range : ranges_)
      for (std::int64_t c = 0; c < range.channels; ++c) {
        const double mean = statistics_[range.statistics + c], variance = statistics_[range.statistics + range.channels + c];
        average(range.mean + c, mean, range.momentum);
        average(range.variance + c, unbiased_variance(variance, range.count), range.momentum);
      }
  }

 private:
  void average(std::int64_t at, double value, double momentum) {
    running_[at] = static_cast<float>(moving_average<double>(running_[at], value, momentum));
  }

  Read<float> statistics_{this, "statistics"}, state_{this, "state"};
  Write<float> running_{this, "running"};
  const std::vector<RunningRange> ranges_ = running_ranges(attributes());
};

}  // namespace

const std::vector<KernelRow> kBatchNormKernels = {
    {"bnStats", make<BnStats>},
    {"bnApply", make<BnApply<false>>},
    {"bnBwdReduce", make<BnBwdReduce>},
    {"bnBwdApply", make<BnBwdApply>},
    {"bnRunningUpdate", make<BnRunningUpdate>},
    {"batchNormInfer", make<BnApply<true>>},
    {"batchNormInferBwd", make<BatchNormInferBwd>},
};

}  // namespace eraserelu::reference
