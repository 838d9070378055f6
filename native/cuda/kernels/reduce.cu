// A block computes some outputs; several threads share the terms of each. Where that makes few blocks, the terms are cut into
// slices, which a second launch puts together in order. How all is cut depends on the shapes alone.
#include "cuda/kernels/reduce.h"

#include <algorithm>
#include <cmath>

#include "cuda/kernel.h"
#include "cuda/kernels/element.h"
#include "cuda/kernels/flat.h"

namespace eraserelu::cuda {
namespace {

constexpr std::int64_t fewestTerms = 16;   // a thread
constexpr std::int64_t mostSlices = 256;
constexpr std::int64_t enoughBlocks = 1024;

/// How the work is cut. Outputs and threads of a block are powers of two.
struct Cut {
  int outputs;   // a block
  std::int64_t allOutputs, terms;
  std::int64_t slices, sliceTerms;

  explicit Cut(const Reduction& r) : allOutputs(r.kept.elements()), terms(r.reduced.elements()) {
    // Neighbouring threads read neighbouring elements: of one output, or of neighbouring outputs.
    outputs = 1;
    if (r.lastStays)
      while (outputs < 32 && outputs < allOutputs) outputs *= 2;
    else
      while (outputs < blockSize && blockSize / outputs / 2 >= terms) outputs *= 2;
    const std::int64_t threads = blockSize / outputs, blocks = (allOutputs + outputs - 1) / outputs;
    const std::int64_t most = std::min(mostSlices, std::max<std::int64_t>(1, enoughBlocks / blocks));
    slices = std::min(most, (terms + threads * fewestTerms - 1) / (threads * fewestTerms));
    sliceTerms = (terms + slices - 1) / slices;
  }
};

__device__ __forceinline__ std::int64_t offset_of(const Dims& dims, std::int64_t index) {
  if (dims.rank == 0) return 0;
  std::int64_t offset = 0;
  for (int i = dims.rank - 1; i > 0; --i) {
    offset += index % dims.shape[i] * dims.strides[i];
    index /= dims.shape[i];
  }
  return offset + index * dims.strides[0];
}

/// The maximum keeps NaN.
template <bool maximum>
__device__ __forceinline__ double combined(double total, double x) {
  if (maximum) return x > total || x != x ? x : total;
  return total + x;
}

template <bool maximum>
constexpr double neutral = maximum ? -HUGE_VAL : 0.0;

template <bool maximum, typename T>
__global__ void __launch_bounds__(blockSize) reduce_kernel(Reduction r, const T* __restrict__ x, T* __restrict__ y,
                                                           double* __restrict__ partial, int outputs, std::int64_t allOutputs,
                                                           std::int64_t terms, std::int64_t sliceTerms) {
  SHARED_ARRAY(double, totals, blockSize);
  const int thread = static_cast<int>(threadIdx.x), threads = blockSize / outputs;
  const int own = r.lastStays ? thread % outputs : thread / threads;
  const int share = r.lastStays ? thread / outputs : thread % threads;
  const std::int64_t output = std::int64_t{blockIdx.x} * outputs + own, slice = blockIdx.y;

  double total = neutral<maximum>;
  if (output < allOutputs) {
    const T* from = x + offset_of(r.kept, output);
    const std::int64_t end = smaller(terms, (slice + 1) * sliceTerms);
    for (std::int64_t term = slice * sliceTerms + share; term < end; term += threads)
      total = combined<maximum>(total, to_float(from[offset_of(r.reduced, term)]));
  }
  const int at = own * threads + share;
  totals[at] = total;
  for (int half = threads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (share < half) totals[at] = combined<maximum>(totals[at], totals[at + half]);
  }
  if (share != 0 || output >= allOutputs) return;
  if (gridDim.y == 1) y[output] = from_float<T>(static_cast<float>(totals[at] / r.divisor));
  else partial[slice * allOutputs + output] = totals[at];
}

template <bool maximum, typename T>
__global__ void __launch_bounds__(blockSize) slices_kernel(const double* __restrict__ partial, T* __restrict__ y,
                                                           std::int64_t outputs, std::int64_t slices, double divisor) {
  const std::int64_t output = thread_number();
  if (output >= outputs) return;
  double total = neutral<maximum>;
  for (std::int64_t slice = 0; slice < slices; ++slice) total = combined<maximum>(total, partial[slice * outputs + output]);
  y[output] = from_float<T>(static_cast<float>(total / divisor));
}

template <bool maximum, typename T>
cudaError_t reduce_as(const Reduction& r, const T* x, T* y, double* partial, cudaStream_t stream) {
  const Cut cut(r);
  dim3 grid(static_cast<unsigned>((cut.allOutputs + cut.outputs - 1) / cut.outputs), static_cast<unsigned>(cut.slices));
  const cudaError_t status = launch(reduce_kernel<maximum, T>, grid, dim3(blockSize), 0, stream, r, x, y, partial, cut.outputs,
                                    cut.allOutputs, cut.terms, cut.sliceTerms);
  if (status != cudaSuccess || cut.slices == 1) return status;
  return launch(slices_kernel<maximum, T>, grid_for(cut.allOutputs), dim3(blockSize), 0, stream, partial, y, cut.allOutputs,
                cut.slices, r.divisor);
}

}  // namespace

std::int64_t Dims::elements() const {
  std::int64_t result = 1;
  for (int i = 0; i < rank; ++i) result *= shape[i];
  return result;
}

std::size_t reduce_scratch(const Reduction& reduction) {
  const Cut cut(reduction);
  return cut.slices == 1 ? 0 : static_cast<std::size_t>(cut.slices * cut.allOutputs) * sizeof(double);
}

cudaError_t reduce(DType dtype, const Reduction& reduction, const void* x, void* y, void* scratch, cudaStream_t stream) {
  return with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const auto run = reduction.maximum ? reduce_as<true, T> : reduce_as<false, T>;
    return run(reduction, static_cast<const T*>(x), static_cast<T*>(y), static_cast<double*>(scratch), stream);
  });
}

}  // namespace eraserelu::cuda
