// A block of Philox gives four numbers. Where packs begin at a multiple of four elements, a thread draws each block once.
#include "cuda/kernels/dropout.h"

#include "base/dropout.h"
#include "cuda/kernel.h"
#include "cuda/kernels/element.h"
#include "cuda/kernels/flat.h"

namespace eraserelu::cuda {
namespace {

template <typename T>
__device__ __forceinline__ T dropped(T x, bool keep, float kept) {
  return from_float<T>(keep ? to_float(x) / kept : 0.0f);
}

template <typename T>
__global__ void __launch_bounds__(blockSize)
    dropout_kernel(Dropout d, const StepParams* step, const T* x, T* y, std::int64_t packs, std::int64_t n) {
  constexpr int width = packWidth<T>;
  const std::int64_t thread = thread_number();
  if (thread < packs) {
    const std::uint64_t seed = step->seed, number = step->step;
    const auto block = static_cast<std::uint64_t>(d.first + step->micro * d.elements + thread * width) / 4;
    const auto in = Pack<T, width>::load(x + thread * width);
    Pack<T, width> out;
    for (int i = 0; i < width / 4; ++i) {
      const Philox4 random = philox_block(seed, number, d.opId, block + static_cast<std::uint64_t>(i));
      for (int j = 0; j < 4; ++j) {
        const bool keep = uniform_of(random.word[j]) >= d.p;
        out.values[4 * i + j] = dropped(in.values[4 * i + j], keep, d.kept);
      }
    }
    out.store(y + thread * width);
  }
  const std::int64_t tail = packs * width + thread;
  if (tail < n) y[tail] = dropped(x[tail], dropout_keeps(*step, d.opId, d.first + tail, d.elements, d.p), d.kept);
}

}  // namespace

cudaError_t dropout(DType dtype, const Dropout& dropout, const StepParams* step, const void* x, void* y, std::int64_t n,
                    cudaStream_t stream) {
  return with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const bool packed = dropout.first % 4 == 0 && dropout.elements % 4 == 0 && aligned_to_vectors(x, y);
    const Division division(n, packWidth<T>, packed);
    return launch(dropout_kernel<T>, division.grid, dim3(blockSize), 0, stream, dropout, step, static_cast<const T*>(x),
                  static_cast<T*>(y), division.packs, n);
  });
}

}  // namespace eraserelu::cuda
