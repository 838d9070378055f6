// Softmax cross-entropy with label smoothing, mixed labels, top-1 and top-5.
#include <algorithm>

#include "base/cross_entropy.h"
#include "reference/kernel.h"

namespace eraserelu::reference {

namespace {

class SoftmaxCrossEntropy : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t, std::int64_t) override {
    const std::int64_t classes = logits_.channels();
    double loss = 0, correct1 = 0, correct5 = 0, real = 0;
    for (std::int64_t n = 0; n < logits_.dim(0); ++n) {
      const RowTarget<double> target = target_of(n);
      if (!row_is_real(target)) continue;
      const Reals row = logits_ + n * classes;
      const std::int64_t rank = label_rank(row, classes, target.label);
      loss += row_loss(row, target, row_softmax<double>(row, classes));
      correct1 += rank < 1;
      correct5 += rank < 5;
      real += 1;
    }
    loss_[0] = static_cast<float>(loss / std::max(real, 1.0));
    correct1_[0] = static_cast<float>(correct1);
    correct5_[0] = static_cast<float>(correct5);
    count_[0] = static_cast<float>(real);
    if (dlogits_) write_gradient(real);
  }

 private:
  RowTarget<double> target_of(std::int64_t n) const {
    if (!labels2_) return {labels_[n], labels_[n], 1.0, smoothing_, logits_.channels()};
    return {labels_[n], labels2_[n], lambda_[n], smoothing_, logits_.channels()};
  }

  void write_gradient(double real) {
    const std::int64_t classes = logits_.channels();
    for (std::int64_t n = 0; n < logits_.dim(0); ++n) {
      const RowTarget<double> target = target_of(n);
      const Reals row = logits_ + n * classes;
      const RowSoftmax<double> softmax = row_softmax<double>(row, classes);
      for (std::int64_t j = 0; j < classes; ++j)
        dlogits_[n * classes + j] =
            row_is_real(target) ? row_gradient<double>(target, softmax, row[j], j) / real : 0.0;
    }
  }

  Read<AnyFloat> logits_{this, "logits"};
  Read<float> lambda_{this, "lambda"};
  Read<std::int32_t> labels_{this, "labels"}, labels2_{this, "labels2"};
  Write<AnyFloat> dlogits_{this, "dlogits"};
  Write<float> loss_{this, "loss"}, correct1_{this, "correct1"}, correct5_{this, "correct5"},
      count_{this, "count"};
  const double smoothing_ = attributes().number("labelSmoothing");
};

}  // namespace

const std::vector<KernelRow> kLossKernels = {{"softmaxCrossEntropy", make<SoftmaxCrossEntropy>}};

}  // namespace eraserelu::reference
