// Softmax cross-entropy of a batch of rows, with its gradient and the counts behind top-1 and top-5.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "base/tensor_desc.h"

namespace eraserelu::cuda {

struct CrossEntropy {
  const void* logits;            // [rows, classes]
  const std::int32_t* labels;
  const std::int32_t* labels2;   // or nullptr: one label set
  const float* lambda;           // where labels2 is there
  float smoothing;
  std::int64_t rows;
  std::int64_t classes;

  void* dlogits;   // or nullptr; of the logits' type
  float* loss;
  float* correct1;
  float* correct5;
  float* count;

  double* rowLoss;           // scratch, one a row
  std::int32_t* rowRank;     // scratch, one a row; -1 where the row is not real

  template <typename Visit>
  void each_pointer(Visit visit) const {
    visit(logits), visit(labels), visit(labels2), visit(lambda), visit(dlogits), visit(loss);
    visit(correct1), visit(correct5), visit(count), visit(rowLoss), visit(rowRank);
  }
};

/// Three launches. Returns what the first one that failed returned.
cudaError_t softmax_cross_entropy(DType dtype, const CrossEntropy& a, cudaStream_t stream);

}  // namespace eraserelu::cuda
