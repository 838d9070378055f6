// How the elements of flat tensors are divided among threads: a thread takes one pack of 16-byte vectors; the first threads
// also take one element each of the tail.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/kernel.h"

namespace eraserelu::cuda {

constexpr int blockSize = 256;

/// Elements of a pack: the narrower type fills 16 bytes.
template <typename X, typename Y = X>
constexpr int packWidth = 16 / static_cast<int>(sizeof(X) < sizeof(Y) ? sizeof(X) : sizeof(Y));

__device__ __forceinline__ std::int64_t thread_number() { return std::int64_t{blockIdx.x} * blockSize + threadIdx.x; }

__device__ __forceinline__ std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
__device__ __forceinline__ std::int64_t larger(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

inline dim3 grid_for(std::int64_t threads) { return dim3(static_cast<unsigned>((threads + blockSize - 1) / blockSize)); }

template <typename... Pointers>
bool aligned_to_vectors(const Pointers*... pointers) {
  return ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
}

struct Division {
  /// Where an address is no multiple of 16 every element is tail.
  template <typename... Pointers>
  Division(std::int64_t n, int width, const Pointers*... pointers) : Division(n, width, aligned_to_vectors(pointers...)) {}

  Division(std::int64_t n, int width, bool vectors)
      : packs(vectors ? n / width : 0), grid(grid_for(std::max(packs, n - packs * width))) {}

  std::int64_t packs;
  dim3 grid;
};

}  // namespace eraserelu::cuda
