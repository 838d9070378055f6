// The arena is cut into stretches of the same size, counted from its start; a block works on the part of a stretch that lies in
// one range. Packs are counted from the start as well, so that they are aligned; those that reach out of the range are updated
// element by element.
#include "cuda/kernels/update.h"

#include "cuda/kernel.h"
#include "cuda/kernels/block_reduce.h"
#include "cuda/kernels/element.h"
#include "cuda/kernels/flat.h"

namespace eraserelu::cuda {
namespace {

constexpr std::int64_t stretch = 4096;         // elements, a multiple of every pack
constexpr std::int64_t normPiece = 16384;      // elements, by which a block of gradNorm sums

template <typename T>
__global__ void __launch_bounds__(blockSize)
    squares_kernel(const T* __restrict__ gradient, std::int64_t elements, bool packed, double* __restrict__ sums) {
  constexpr int width = packWidth<T>;
  SHARED_ARRAY(double, warps, blockSize / 32);
  const std::int64_t begin = std::int64_t{blockIdx.x} * normPiece, end = smaller(elements, begin + normPiece);
  const std::int64_t packs = packed ? (end - begin) / width : 0;
  double sum = 0;
  const auto add = [&](T value) { sum += static_cast<double>(to_float(value)) * static_cast<double>(to_float(value)); };
  for (std::int64_t pack = threadIdx.x; pack < packs; pack += blockSize) {
    const auto values = Pack<T, width>::load(gradient + begin + pack * width);
    for (int i = 0; i < width; ++i) add(values.values[i]);
  }
  for (std::int64_t i = begin + packs * width + threadIdx.x; i < end; i += blockSize) add(gradient[i]);
  sum = block_reduce<blockSize, double>(sum, warps, Plus());
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

__global__ void __launch_bounds__(blockSize) state_kernel(const double* __restrict__ sums, std::int64_t count, const float* loss,
                                                          double maxNorm, const StepParams* step, float* state) {
  SHARED_ARRAY(double, warps, blockSize / 32);
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += blockSize) sum += sums[i];
  sum = block_reduce<blockSize, double>(sum, warps, Plus());
  if (threadIdx.x == 0) update_state(state, sum, !loss || std::isfinite(*loss), maxNorm, step->microCount);
}

/// Calls body(i, Width<w>{}) for the elements of a block: w neighbours from i on, either a pack or one element.
template <int w>
struct Width {
  static constexpr int value = w;
};

template <int width, typename Body>
__device__ __forceinline__ void for_each_of_block(const UpdateRange& range, bool packed, const Body& body) {
  const std::int64_t number = range.begin / stretch + (static_cast<std::int64_t>(blockIdx.x) - range.firstBlock);
  const std::int64_t begin = larger(range.begin, number * stretch), end = smaller(range.end, (number + 1) * stretch);
  for (std::int64_t i = number * stretch + threadIdx.x * width; i < end; i += blockSize * width) {
    if (packed && i >= begin && i + width <= end) {
      body(i, Width<width>());
      continue;
    }
    for (std::int64_t j = larger(i, begin); j < smaller(i + width, end); ++j) body(j, Width<1>());
  }
}

/// The range of this block: the last one that begins with it or before.
__device__ __forceinline__ const UpdateRange& range_of_block(const Update& update) {
  std::int32_t low = 0, high = update.rangeCount;
  while (high - low > 1) {
    const std::int32_t middle = (low + high) / 2;
    if (update.ranges[middle].firstBlock <= static_cast<std::int32_t>(blockIdx.x)) low = middle;
    else high = middle;
  }
  return update.ranges[low];
}

template <typename T>
__global__ void __launch_bounds__(blockSize) sgd_kernel(Update update, Sgd sgd, bool packed) {
  if (update.state[kStateFinite] == 0) return;
  const UpdateRange range = range_of_block(update);
  const SgdParams<float> params{update.state[kStateScale],
                                update.step->learningRate[range.group],
                                range.weightDecay,
                                sgd.momentum,
                                sgd.dampening,
                                sgd.nesterov,
                                update.state[kStateUpdates] == 1};
  const T* gradients = static_cast<const T*>(update.gradient);
  for_each_of_block<packWidth<T>>(range, packed, [&](std::int64_t i, auto width) {
    constexpr int w = decltype(width)::value;
    const auto gradient = Pack<T, w>::load(gradients + i);
    auto weight = Pack<float, w>::load(update.weights + i);
    if (sgd.velocity) {
      auto velocity = Pack<float, w>::load(sgd.velocity + i);
      for (int j = 0; j < w; ++j)
        weight.values[j] = sgd_momentum_weight(params, to_float(gradient.values[j]), weight.values[j], velocity.values[j]);
      velocity.store(sgd.velocity + i);
    } else {
      for (int j = 0; j < w; ++j) weight.values[j] = sgd_weight(params, to_float(gradient.values[j]), weight.values[j]);
    }
    weight.store(update.weights + i);
  });
}

template <typename T>
__global__ void __launch_bounds__(blockSize) adamw_kernel(Update update, Adamw adamw, bool packed) {
  SHARED_ARRAY(float, corrections, 2);
  if (update.state[kStateFinite] == 0) return;
  if (threadIdx.x < 2) {
    const double beta = threadIdx.x == 0 ? adamw.beta1 : adamw.beta2;
    corrections[threadIdx.x] = static_cast<float>(adamw_correction(beta, update.state[kStateUpdates]));
  }
  __syncthreads();
  const UpdateRange range = range_of_block(update);
  const AdamwParams<float> params{update.state[kStateScale],
                                  update.step->learningRate[range.group],
                                  range.weightDecay,
                                  static_cast<float>(adamw.beta1),
                                  static_cast<float>(adamw.beta2),
                                  static_cast<float>(1 - adamw.beta1),
                                  static_cast<float>(1 - adamw.beta2),
                                  adamw.epsilon,
                                  corrections[0],
                                  corrections[1]};
  const T* gradients = static_cast<const T*>(update.gradient);
  for_each_of_block<packWidth<T>>(range, packed, [&](std::int64_t i, auto width) {
    constexpr int w = decltype(width)::value;
    const auto gradient = Pack<T, w>::load(gradients + i);
    auto weight = Pack<float, w>::load(update.weights + i);
    auto m = Pack<float, w>::load(adamw.m + i), v = Pack<float, w>::load(adamw.v + i);
    for (int j = 0; j < w; ++j)
      weight.values[j] = adamw_weight(params, to_float(gradient.values[j]), weight.values[j], m.values[j], v.values[j]);
    weight.store(update.weights + i);
    m.store(adamw.m + i);
    v.store(adamw.v + i);
  });
}

__global__ void __launch_bounds__(blockSize) ema_kernel(const float* __restrict__ weights, const float* __restrict__ state,
                                                        float* ema, float fresh, std::int64_t packs, std::int64_t n) {
  constexpr int width = packWidth<float>;
  if (state[kStateFinite] == 0) return;
  const std::int64_t thread = thread_number();
  if (thread < packs) {
    const auto weight = Pack<float, width>::load(weights + thread * width);
    auto average = Pack<float, width>::load(ema + thread * width);
    for (int i = 0; i < width; ++i) average.values[i] = moving_average(average.values[i], weight.values[i], fresh);
    average.store(ema + thread * width);
  }
  const std::int64_t tail = packs * width + thread;
  if (tail < n) ema[tail] = moving_average(ema[tail], weights[tail], fresh);
}

}  // namespace

std::int64_t norm_pieces(std::int64_t elements) { return (elements + normPiece - 1) / normPiece; }

cudaError_t sum_of_squares(DType dtype, const void* gradient, std::int64_t elements, double* sums, cudaStream_t stream) {
  return with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    return launch(squares_kernel<T>, dim3(static_cast<unsigned>(norm_pieces(elements))), dim3(blockSize), 0, stream,
                  static_cast<const T*>(gradient), elements, aligned_to_vectors(gradient), sums);
  });
}

cudaError_t grad_norm(const double* sums, std::int64_t count, const float* loss, double maxNorm, const StepParams* step,
                      float* state, cudaStream_t stream) {
  return launch(state_kernel, dim3(1), dim3(blockSize), 0, stream, sums, count, loss, maxNorm, step, state);
}

std::int32_t update_blocks(std::int64_t begin, std::int64_t end) {
  return end > begin ? static_cast<std::int32_t>((end + stretch - 1) / stretch - begin / stretch) : 0;
}

cudaError_t sgd_update(DType gradientType, const Update& update, const Sgd& sgd, cudaStream_t stream) {
  if (update.blocks == 0) return cudaSuccess;
  const bool packed = aligned_to_vectors(update.gradient, update.weights, sgd.velocity);
  return with_type(gradientType, [&](auto type) {
    const dim3 grid(static_cast<unsigned>(update.blocks));
    return launch(sgd_kernel<typename decltype(type)::type>, grid, dim3(blockSize), 0, stream, update, sgd, packed);
  });
}

cudaError_t adamw_update(DType gradientType, const Update& update, const Adamw& adamw, cudaStream_t stream) {
  if (update.blocks == 0) return cudaSuccess;
  const bool packed = aligned_to_vectors(update.gradient, update.weights, adamw.m, adamw.v);
  return with_type(gradientType, [&](auto type) {
    const dim3 grid(static_cast<unsigned>(update.blocks));
    return launch(adamw_kernel<typename decltype(type)::type>, grid, dim3(blockSize), 0, stream, update, adamw, packed);
  });
}

cudaError_t ema_update(const float* weights, const float* state, float* ema, float fresh, std::int64_t elements,
                       cudaStream_t stream) {
  const Division division(elements, packWidth<float>, weights, ema);
  return launch(ema_kernel, division.grid, dim3(blockSize), 0, stream, weights, state, ema, fresh, division.packs, elements);
}

}  // namespace eraserelu::cuda
