// The update section: gradient norm, SGD, AdamW and the average of the weights, over flat arenas.
#include <cmath>
#include <deque>

#include "base/optimizer_formulas.h"
#include "reference/kernel.h"

namespace eraserelu::reference {

namespace {

class GradNorm : public ReferenceKernel {
 public:
  explicit GradNorm(const OpDesc& desc) : ReferenceKernel(desc) {
    for (std::size_t i = desc.read_index("gradient"); i < desc.reads.size(); ++i) gradients_.emplace_back(this, i);
  }

  void launch(std::int64_t, std::int64_t) override {
    double sum = 0;
    for (const auto& gradient : gradients_)
      for (std::int64_t e = 0; e < gradient.elements(); ++e) sum += gradient[e] * gradient[e];
    update_state(state_, sum, !loss_ || std::isfinite(loss_[0]), maxNorm_, step_->microCount);
  }

 private:
  std::deque<Read<AnyFloat>> gradients_;   // a deque, because operands do not move
  Read<float> loss_{this, "loss"};
  Write<float> state_{this, "state"};
  const double maxNorm_ = attributes().number("maxNorm");
};

/// What both optimizers share: the ranges of the arena with their parameter groups.
class Optimizer : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t, std::int64_t) override {
    if (state_[kStateFinite] == 0) return;
    for (std::size_t i = 0; i < ranges_.size(); i += 3) {
      const std::size_t group = static_cast<std::size_t>(ranges_[i + 2]);
      update(ranges_[i], ranges_[i] + ranges_[i + 1], step_->learningRate[group], weightDecay_[group]);
    }
  }

 protected:
  virtual void update(std::int64_t begin, std::int64_t end, double learningRate, double weightDecay) = 0;

  Read<AnyFloat> gradient_{this, "gradient"};
  Read<float> state_{this, "state"};
  Write<float> weights_{this, "weights"};

 private:
  const std::vector<std::int64_t> ranges_ = attributes().integers("ranges");
  const std::vector<double> weightDecay_ = attributes().numbers("weightDecay");
};

class SgdUpdate : public Optimizer {
 public:
  using Optimizer::Optimizer;

 private:
  void update(std::int64_t begin, std::int64_t end, double learningRate, double weightDecay) override {
    const SgdParams<double> params{state_[kStateScale], learningRate, weightDecay,
                                   momentum_, dampening_, nesterov_, state_[kStateUpdates] == 1};
    for (std::int64_t e = begin; e < end; ++e) {
      if (!velocity_) {
        weights_[e] = static_cast<float>(sgd_weight<double>(params, gradient_[e], weights_[e]));
        continue;
      }
      double velocity = velocity_[e];
      weights_[e] = static_cast<float>(sgd_momentum_weight<double>(params, gradient_[e], weights_[e], velocity));
      velocity_[e] = static_cast<float>(velocity);
    }
  }

  Write<float> velocity_{this, "velocity"};
  const double momentum_ = attributes().number("momentum"), dampening_ = attributes().number("dampening");
  const bool nesterov_ = attributes().flag("nesterov");
};

class AdamwUpdate : public Optimizer {
 public:
  using Optimizer::Optimizer;

 private:
  void update(std::int64_t begin, std::int64_t end, double learningRate, double weightDecay) override {
    const double t = state_[kStateUpdates];
    const AdamwParams<double> params{state_[kStateScale], learningRate, weightDecay, beta1_, beta2_, 1 - beta1_, 1 - beta2_, epsilon_,
                                     adamw_correction(beta1_, t), adamw_correction(beta2_, t)};
    for (std::int64_t e = begin; e < end; ++e) {
      double m = m_[e], v = v_[e];
      weights_[e] = static_cast<float>(adamw_weight<double>(params, gradient_[e], weights_[e], m, v));
      m_[e] = static_cast<float>(m);
      v_[e] = static_cast<float>(v);
    }
  }

  Write<float> m_{this, "m"}, v_{this, "v"};
  const double beta1_ = attributes().number("beta1"), beta2_ = attributes().number("beta2"),
               epsilon_ = attributes().number("epsilon");
};

class EmaUpdate : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t, std::int64_t) override {
    if (state_[kStateFinite] == 0) return;
    for (std::int64_t e = 0; e < ema_.elements(); ++e)
      ema_[e] = static_cast<float>(moving_average<double>(ema_[e], weights_[e], fresh_));
  }

 private:
  Read<float> weights_{this, "weights"}, state_{this, "state"};
  Write<float> ema_{this, "ema"};
  const double fresh_ = 1.0 - attributes().number("decay");
};

}  // namespace

const std::vector<KernelRow> kUpdateKernels = {
    {"gradNorm", make<GradNorm>},
    {"sgdUpdate", make<SgdUpdate>},
    {"adamwUpdate", make<AdamwUpdate>},
    {"emaUpdate", make<EmaUpdate>},
};

}  // namespace eraserelu::reference
