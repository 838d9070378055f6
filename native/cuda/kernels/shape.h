// Kernels that only move elements: joining tensors, cutting boxes out of a tensor and putting them back. They know the size of an
// element but not its type. Each returns what its launch returned.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace eraserelu::cuda {

/// Tensors that lie behind one another in every row of the joined tensor.
struct JoinedInputs {
  static constexpr int capacity = 32;

  int count = 0;
  const void* data[capacity] = {};
  std::int64_t run[capacity] = {};      // elements that each gives to a row
  std::int64_t pitch[capacity] = {};    // elements from one run of each to the next
  std::int64_t before[capacity] = {};   // elements of the row before them

  template <typename Visit>
  void each_pointer(Visit visit) const {
    for (int i = 0; i < count; ++i) visit(data[i]);
  }
};

/// Fills the inputs' part of every row of y; `row`: the elements from a row of y to the next.
cudaError_t join(const JoinedInputs& inputs, std::size_t elementSize, void* y, std::int64_t rows, std::int64_t row,
                 cudaStream_t stream);

/// A part of a larger tensor, the same in as few dimensions as possible.
struct Box {
  static constexpr int maxRank = 8;

  int rank = 1;
  std::int64_t whole[maxRank] = {1};
  std::int64_t part[maxRank] = {1};
  std::int64_t begin[maxRank] = {};

  template <typename Visit>
  void each_pointer(Visit) const {}
};

/// part = the box of whole.
cudaError_t cut(const Box& box, std::size_t elementSize, const void* whole, void* part, cudaStream_t stream);

/// The box of whole = part; everything else is zero.
cudaError_t cut_bwd(const Box& box, std::size_t elementSize, const void* part, void* whole, cudaStream_t stream);

}  // namespace eraserelu::cuda
