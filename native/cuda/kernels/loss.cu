// Three launches: how many rows are real, which the gradient divides by; each row by a block; the totals.
#include "cuda/kernels/loss.h"

#include "base/cross_entropy.h"
#include "cuda/kernel.h"
#include "cuda/kernels/block_reduce.h"
#include "cuda/kernels/element.h"

namespace eraserelu::cuda {
namespace {

constexpr int rowThreads = 128;
constexpr int totalThreads = 256;

__device__ __forceinline__ RowTarget<float> target_of(const CrossEntropy& a, std::int64_t row) {
  const std::int32_t label = a.labels[row];
  return {label, a.labels2 ? a.labels2[row] : label, a.labels2 ? a.lambda[row] : 1.0f, a.smoothing, a.classes};
}

__global__ void __launch_bounds__(totalThreads) count_kernel(CrossEntropy a) {
  SHARED_ARRAY(int, counts, totalThreads / 32);
  int count = 0;
  for (std::int64_t row = threadIdx.x; row < a.rows; row += totalThreads) count += row_is_real(target_of(a, row));
  count = block_reduce<totalThreads, int>(count, counts, Plus());
  if (threadIdx.x == 0) *a.count = static_cast<float>(count);
}

template <typename T>
__global__ void __launch_bounds__(rowThreads) row_kernel(CrossEntropy a) {
  SHARED_ARRAY(float, floats, rowThreads / 32);
  SHARED_ARRAY(int, ints, rowThreads / 32);
  const std::int64_t row = blockIdx.x;
  const T* logits = static_cast<const T*>(a.logits) + row * a.classes;
  T* gradient = a.dlogits ? static_cast<T*>(a.dlogits) + row * a.classes : nullptr;
  const RowTarget<float> target = target_of(a, row);
  if (!row_is_real(target)) {
    if (gradient)
      for (std::int64_t j = threadIdx.x; j < a.classes; j += rowThreads) gradient[j] = from_float<T>(0.0f);
    if (threadIdx.x == 0) a.rowLoss[row] = 0, a.rowRank[row] = -1;
    return;
  }

  float maximum = to_float(logits[0]);
  for (std::int64_t j = threadIdx.x; j < a.classes; j += rowThreads) maximum = Larger()(to_float(logits[j]), maximum);
  maximum = block_reduce<rowThreads, float>(maximum, floats, Larger());
  float sum = 0;
  for (std::int64_t j = threadIdx.x; j < a.classes; j += rowThreads) sum += std::exp(to_float(logits[j]) - maximum);
  sum = block_reduce<rowThreads, float>(sum, floats, Plus());
  const RowSoftmax<float> softmax{maximum, std::log(sum)};

  const float own = to_float(logits[target.label]);
  float loss = 0;
  int rank = 0;
  for (std::int64_t j = threadIdx.x; j < a.classes; j += rowThreads) {
    const float logit = to_float(logits[j]);
    loss += class_loss(target, softmax, logit, j);
    rank += stands_before(logit, j, own, std::int64_t{target.label});
    if (gradient) gradient[j] = from_float<T>(row_gradient(target, softmax, logit, j) / *a.count);
  }
  loss = block_reduce<rowThreads, float>(loss, floats, Plus());
  rank = block_reduce<rowThreads, int>(rank, ints, Plus());
  if (threadIdx.x == 0) a.rowLoss[row] = loss, a.rowRank[row] = rank;
}

__global__ void __launch_bounds__(totalThreads) total_kernel(CrossEntropy a) {
  SHARED_ARRAY(double, losses, totalThreads / 32);
  SHARED_ARRAY(int, ranks, totalThreads / 32);
  double loss = 0;
  int first = 0, fifth = 0;
  for (std::int64_t row = threadIdx.x; row < a.rows; row += totalThreads) {
    const int rank = a.rowRank[row];
    loss += a.rowLoss[row];
    first += rank == 0;
    fifth += rank >= 0 && rank < 5;
  }
  loss = block_reduce<totalThreads, double>(loss, losses, Plus());
  first = block_reduce<totalThreads, int>(first, ranks, Plus());
  fifth = block_reduce<totalThreads, int>(fifth, ranks, Plus());
  if (threadIdx.x != 0) return;
  *a.loss = static_cast<float>(*a.count > 0 ? loss / *a.count : 0);
  *a.correct1 = static_cast<float>(first);
  *a.correct5 = static_cast<float>(fifth);
}

}  // namespace

cudaError_t softmax_cross_entropy(DType dtype, const CrossEntropy& a, cudaStream_t stream) {
  if (const cudaError_t status = launch(count_kernel, dim3(1), dim3(totalThreads), 0, stream, a)) return status;
  const cudaError_t status = with_type(dtype, [&](auto type) {
    return launch(row_kernel<typename decltype(type)::type>, dim3(static_cast<unsigned>(a.rows)), dim3(rowThreads), 0, stream, a);
  });
  if (status != cudaSuccess) return status;
  return launch(total_kernel, dim3(1), dim3(totalThreads), 0, stream, a);
}

}  // namespace eraserelu::cuda
