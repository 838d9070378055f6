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

/// `row[j]` is the logit of class j.
template <typename Real, typename Row>
ERASERELU_HD RowSoftmax<Real> row_softmax(const Row& row, std::int64_t classes) {
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

/// What class j adds to -Σ q·log softmax. A class without target probability adds nothing: 0·log 0 = 0.
template <typename Real>
ERASERELU_HD Real class_loss(const RowTarget<Real>& target, const RowSoftmax<Real>& softmax, Real logit, std::int64_t j) {
  const Real q = target_probability(target, j);
  return q != Real(0) ? -q * log_softmax(softmax, logit) : Real(0);
}

/// -Σ q·log softmax of one real row.
template <typename Real, typename Row>
ERASERELU_HD Real row_loss(const Row& row, const RowTarget<Real>& target, const RowSoftmax<Real>& softmax) {
  Real loss = 0;
  for (std::int64_t j = 0; j < target.classes; ++j) loss += class_loss(target, softmax, static_cast<Real>(row[j]), j);
  return loss;
}

/// Whether class j stands before the label: a greater logit, or an equal one of a lower index. Before a NaN stand all.
template <typename Logit>
ERASERELU_HD bool stands_before(Logit logit, std::int64_t j, Logit own, std::int64_t label) {
  return own != own || logit > own || (logit == own && j < label);
}

/// How many logits stand before the label's.
template <typename Row>
ERASERELU_HD std::int64_t label_rank(const Row& row, std::int64_t classes, std::int64_t label) {
  std::int64_t rank = 0;
  for (std::int64_t j = 0; j < classes; ++j) rank += stands_before(row[j], j, row[label], label);
  return rank;
}

}  // namespace eraserelu
