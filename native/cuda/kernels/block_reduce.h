// Combines one value of each thread of a block, always in the same order; every thread gets the result.
#pragma once

#include "cuda/kernel.h"

namespace eraserelu::cuda {

constexpr unsigned wholeWarp = 0xFFFFFFFFU;

struct Plus {
  template <typename T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a + b;
  }
};

struct Larger {
  template <typename T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};

/// `warps` has room for one value of each of the block's warps and may be used again afterwards.
template <int threads, typename T, typename Combine>
__device__ __forceinline__ T block_reduce(T value, Shared<T> warps, Combine combine) {
  for (int bits = 16; bits > 0; bits /= 2) value = combine(value, __shfl_xor_sync(wholeWarp, value, bits));
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = value;
  __syncthreads();
  T total = warps[0];
  for (int warp = 1; warp < threads / 32; ++warp) total = combine(total, T(warps[warp]));
  __syncthreads();
  return total;
}

}  // namespace eraserelu::cuda
