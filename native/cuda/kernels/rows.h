// Tensors [rows, C] divided among threads. A block is a rectangle of rows (threadIdx.y) and packs of channels (threadIdx.x), so
// that a thread keeps its channels from row to row. Where packs do not fit C or an address, a pack is one element.
#pragma once

#include <type_traits>

#include "cuda/kernels/element.h"
#include "cuda/kernels/flat.h"

namespace eraserelu::cuda {

struct Rectangles {
  static constexpr unsigned mostColumns = 64;

  Rectangles(std::int64_t channels, int width) {
    const auto packs = static_cast<unsigned>((channels + width - 1) / width);
    groups = (packs + mostColumns - 1) / mostColumns;
    block.x = (packs + groups - 1) / groups;
    block.y = blockSize / block.x;
  }

  /// Blocks over `rows` rows, of which a thread takes `rowsPerThread`.
  dim3 grid(std::int64_t rows, int rowsPerThread) const {
    const std::int64_t blockRows = std::int64_t{block.y} * rowsPerThread;
    return dim3(static_cast<unsigned>((rows + blockRows - 1) / blockRows), groups);
  }

  dim3 block;
  unsigned groups;   // blocks side by side over the channels
};

/// Blocks that each go over all partial results of a few columns.
inline dim3 combining_block() { return dim3(8, blockSize / 8); }
inline dim3 combining_grid(std::int64_t columns) { return dim3(1, static_cast<unsigned>((columns + 7) / 8)); }

/// Calls body(Type<T>{}, width) with the type of a dtype and with how many channels a pack has, an integral constant. `channels`:
/// their number, joined by | with a pitch where a tensor has one, since packs have a power of two of channels.
template <typename Body, typename... Pointers>
cudaError_t with_packs(DType dtype, std::int64_t channels, const Body& body, const Pointers*... pointers) {
  return with_type(dtype, [&](auto type) {
    constexpr int width = packWidth<typename decltype(type)::type>;
    return channels % width == 0 && aligned_to_vectors(pointers...) ? body(type, std::integral_constant<int, width>{})
                                                                    : body(type, std::integral_constant<int, 1>{});
  });
}

/// The first of the thread's channels; there may be no such channel.
template <int width>
__device__ __forceinline__ int first_channel() {
  return static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x) * width;
}

/// The i-th of the rows that a thread takes.
template <int rowsPerThread>
__device__ __forceinline__ std::int64_t row_number(int i) {
  return (std::int64_t{blockIdx.x} * rowsPerThread + i) * blockDim.y + threadIdx.y;
}

/// Elements of the shared array that merge_rows needs.
template <int width>
constexpr int mergeSize = blockSize / 2 * width;

/// Merges what the threads of a column hold, in a tree that depends on blockDim.y alone; the thread of row 0 gets the result.
/// Every thread of the block takes part.
template <int width, typename Part, typename Merge>
__device__ __forceinline__ void merge_rows(Part (&own)[width], Shared<Part> parts, const Merge& merge) {
  for (unsigned rows = blockDim.y; rows > 1;) {
    const unsigned half = (rows + 1) / 2;
    if (threadIdx.y >= half && threadIdx.y < rows)
      for (int i = 0; i < width; ++i)
        parts[i * (blockSize / 2) + static_cast<int>((threadIdx.y - half) * blockDim.x + threadIdx.x)] = own[i];
    __syncthreads();
    if (threadIdx.y + half < rows)
      for (int i = 0; i < width; ++i) {
        const Part other = parts[i * (blockSize / 2) + static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x)];
        own[i] = merge(own[i], other);
      }
    __syncthreads();
    rows = half;
  }
}

/// The sums over rows [0, rows) of x [rows, C], in the threads of row 0. Every thread of the block takes part.
template <typename T, int width>
__device__ __forceinline__ void sum_rows(const T* x, std::int64_t rows, std::int64_t channels, float (&sums)[width],
                                         Shared<float> parts) {
  const int c = first_channel<width>();
  for (int i = 0; i < width; ++i) sums[i] = 0;
  if (c < channels)
    for (std::int64_t row = threadIdx.y; row < rows; row += blockDim.y) {
      const auto pack = Pack<T, width>::load(x + row * channels + c);
      for (int i = 0; i < width; ++i) sums[i] += to_float(pack.values[i]);
    }
  merge_rows(sums, parts, [](float a, float b) { return a + b; });
}

}  // namespace eraserelu::cuda
