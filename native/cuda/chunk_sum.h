// The sum over chunks of a gradient that a library assigns: in f32, and rounded to the gradient's type once, behind the last chunk.
#pragma once

#include "base/scratch_layout.h"
#include "cuda/device.h"

namespace eraserelu::cuda {

class ChunkSum {
 public:
  /// `chunked`: there is more than one launch. Takes its part of the scratchpad.
  ChunkSum(const TensorDesc& gradient, bool chunked, ScratchLayout& scratch);

  void bind(char* scratchpad, void* gradient);

  /// Where the library writes the gradient of the chunk that begins with image `first`.
  void* target(std::int64_t first) const;

  /// To be called behind the library's launch; `last`: no chunk follows. Returns what the launch that failed returned.
  cudaError_t add(std::int64_t first, bool last, cudaStream_t stream) const;

 private:
  TensorDesc gradient_;
  bool chunked_;
  std::size_t partAt_ = 0, totalAt_ = 0;
  void* written_ = nullptr;
  void* part_ = nullptr;
  float* total_ = nullptr;
};

}  // namespace eraserelu::cuda
