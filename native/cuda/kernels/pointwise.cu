// One kernel for each function. A thread computes a pack of the last dimension, or a single element where that cannot be packed.
#include "cuda/kernels/pointwise.h"

#include "cuda/kernel.h"
#include "cuda/kernels/element.h"
#include "cuda/kernels/flat.h"

namespace eraserelu::cuda {
namespace {

/// What a thread reads of an operand: neighbours, or one element that stretches.
template <int width, typename T>
__device__ __forceinline__ void load(const T* from, bool stretches, float (&values)[width]) {
  if constexpr (width > 1) {
    if (!stretches) {
      const auto pack = Pack<T, width>::load(from);
      for (int i = 0; i < width; ++i) values[i] = to_float(pack.values[i]);
      return;
    }
  }
  for (int i = 0; i < width; ++i) values[i] = to_float(*from);
}

template <PointwiseFn fn, int width, typename A, typename B>
__device__ __forceinline__ void compute(const A* a, const B* b, A* y, const Broadcast& dims, float alpha, float beta,
                                        std::int64_t element) {
  std::int64_t rest = element, offsetA = 0, offsetB = 0;
  for (int i = dims.rank - 1; i > 0; --i) {
    const std::int64_t index = rest % dims.shape[i];
    rest /= dims.shape[i];
    offsetA += index * dims.strideA[i];
    offsetB += index * dims.strideB[i];
  }
  float left[width], right[width] = {};
  load(a + offsetA + rest * dims.strideA[0], dims.strideA[dims.rank - 1] == 0, left);
  if constexpr (fn >= PointwiseFn::clampGrad)
    load(b + offsetB + rest * dims.strideB[0], dims.strideB[dims.rank - 1] == 0, right);
  if constexpr (width > 1) {
    Pack<A, width> out;
    for (int i = 0; i < width; ++i)
      out.values[i] = from_float<A>(eraserelu::pointwise<float>(fn, left[i], right[i], alpha, beta));
    out.store(y + element);
  } else {
    y[element] = from_float<A>(eraserelu::pointwise<float>(fn, left[0], right[0], alpha, beta));
  }
}

template <PointwiseFn fn, typename A, typename B>
__global__ void __launch_bounds__(blockSize)
    pointwise_kernel(const A* a, const B* b, A* y, Broadcast dims, float alpha, float beta, std::int64_t packs, std::int64_t n) {
  constexpr int width = packWidth<A>;
  const std::int64_t thread = thread_number();
  if (thread < packs) compute<fn, width>(a, b, y, dims, alpha, beta, thread * width);
  const std::int64_t tail = packs * width + thread;
  if (tail < n) compute<fn, 1>(a, b, y, dims, alpha, beta, tail);
}

template <PointwiseFn fn, typename A, typename B>
cudaError_t launch_as(const PointwiseOperands& o, const Broadcast& dims, cudaStream_t stream) {
  constexpr int width = packWidth<A>;
  std::int64_t n = 1;
  for (int i = 0; i < dims.rank; ++i) n *= dims.shape[i];
  const int last = dims.rank - 1;
  const bool packed = (dims.rank == 1 || dims.shape[last] % width == 0) &&
                      aligned_to_vectors(dims.strideA[last] ? o.a : nullptr, dims.strideB[last] ? o.b : nullptr, o.y);
  const Division division(n, width, packed);
  return launch(pointwise_kernel<fn, A, B>, division.grid, dim3(blockSize), 0, stream, static_cast<const A*>(o.a),
                static_cast<const B*>(o.b), static_cast<A*>(o.y), dims, o.alpha, o.beta, division.packs, n);
}

template <typename T>
cudaError_t launch_function(const PointwiseOperands& o, const Broadcast& dims, cudaStream_t stream) {
#define ERASERELU_CASE(name) \
  case PointwiseFn::name: return launch_as<PointwiseFn::name, T, T>(o, dims, stream);
  switch (o.fn) {
    ERASERELU_CASE(exp) ERASERELU_CASE(log) ERASERELU_CASE(sqrt) ERASERELU_CASE(sigmoid) ERASERELU_CASE(tanh)
    ERASERELU_CASE(abs) ERASERELU_CASE(neg) ERASERELU_CASE(square) ERASERELU_CASE(clamp) ERASERELU_CASE(affine)
    ERASERELU_CASE(pow) ERASERELU_CASE(clampGrad) ERASERELU_CASE(add) ERASERELU_CASE(sub) ERASERELU_CASE(mul)
    ERASERELU_CASE(div) ERASERELU_CASE(max) ERASERELU_CASE(min) ERASERELU_CASE(eq) ERASERELU_CASE(gt)
  }
#undef ERASERELU_CASE
  fail(ErrorCode::Internal, "no kernel for pointwise function ", static_cast<int>(o.fn));
}

}  // namespace

cudaError_t pointwise(DType dtype, DType dtypeOfB, const PointwiseOperands& operands, const Broadcast& dims,
                      cudaStream_t stream) {
  return with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    if (dtypeOfB != dtype) return launch_as<PointwiseFn::mul, T, float>(operands, dims, stream);
    return launch_function<T>(operands, dims, stream);
  });
}

}  // namespace eraserelu::cuda
