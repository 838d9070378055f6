// Softmax cross-entropy of one row of logits, with label smoothing, two label sets and the rank behind top-1 and top-5.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/host_device.h"

namespace eraserelu {

/// The target distribution of one row. With one label set: label2 = label, lambda = 1.
template <typename Real>
struct RowTarget {
  std::int32_t label;
  std::int32_t label2;
  Real lambda;
  Real smoothing;
  std::int64_t classes;
};

/// Rows that are not real (padding has label -1) give no loss, no count and no gradient.
template <typename Real>
ERASERELU_HD bool row_is_real(const RowTarget<Real>& t) {
  return t.label >= 0 && t.label < t.classes && t.label2 >= 0 && t.label2 < t.classes;
}

template <typename Real>
ERASERELU_HD Real target_probability(const RowTarget<Real>& t, std::int64_t j) {
  const Real onehot = (j == t.label ? t.lambda : Real(0)) + (j == t.label2 ? Real(1) - t.lambda : Real(0));
  return (Real(1) - t.smoothing) * onehot + t.smoothing / static_cast<Real>(t.classes);
}

/// What log softmax needs of a row.
template <typename Real>
struct RowSoftmax {
  Real maximum;
  Real logSum;   // of the exponentials of logit - maximum
};

template <typename Real>
ERASERELU_HD Real log_softmax(const RowSoftmax<Real>& softmax, Real logit) {
  return (logit - softmax.maximum) - softmax.logSum;
}

template <typename Real, typename Logit>
ERASERELU_HD RowSoftmax<Real> row_softmax(const Logit* row, std::int64_t classes) {
  Real maximum = static_cast<Real>(row[0]);
  for (std::int64_t j = 1; j < classes; ++j)
    if (static_cast<Real>(row[j]) > maximum) maximum = static_cast<Real>(row[j]);
  Real sum = 0;
  for (std::int64_t j = 0; j < classes; ++j) sum += std::exp(static_cast<Real>(row[j]) - maximum);
  return {maximum, std::log(sum)};
}

/// The gradient of row_loss at class j.
template <typename Real>
ERASERELU_HD Real row_gradient(const RowTarget<Real>& target, const RowSoftmax<Real>& softmax, Real logit, std::int64_t j) {
  return std::exp(log_softmax(softmax, logit)) - target_probability(target, j);
}

/// -Σ q·log softmax of one real row. Classes without target probability are left out: 0·log 0 = 0.
template <typename Real, typename Logit>
ERASERELU_HD Real row_loss(const Logit* row, const RowTarget<Real>& target, const RowSoftmax<Real>& softmax) {
  Real loss = 0;
  for (std::int64_t j = 0; j < target.classes; ++j) {
    const Real q = target_probability(target, j);
    if (q != Real(0)) loss -= q * log_softmax(softmax, static_cast<Real>(row[j]));
  }
  return loss;
}

/// How many logits stand before the label's: greater ones, and equal ones of a lower index. A NaN label logit ranks last.
template <typename Logit>
ERASERELU_HD std::int64_t label_rank(const Logit* row, std::int64_t classes, std::int64_t label) {
  const Logit own = row[label];
  if (own != own) return classes;
  std::int64_t rank = 0;
  for (std::int64_t j = 0; j < classes; ++j) rank += row[j] > own || (row[j] == own && j < label);
  return rank;
}

}  // namespace eraserelu
