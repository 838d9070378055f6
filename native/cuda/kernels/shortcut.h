// The parameter-free shortcut: every stride-th pixel; channels that the output has more are zero. Each function works on `count`
// images from `first` and returns what its launch returned.
#pragma once

#include <cuda_runtime_api.h>

#include "base/tensor_desc.h"

namespace eraserelu::cuda {

struct Shortcut {
  int height, width;   // of the input
  int outHeight, outWidth;
  int strideHeight, strideWidth;
  int channels, outChannels;

  template <typename Visit>
  void each_pointer(Visit) const {}
};

cudaError_t shortcut_a(DType dtype, const Shortcut& shortcut, const void* x, void* y, std::int64_t first, std::int64_t count,
                       cudaStream_t stream);
cudaError_t shortcut_a_bwd(DType dtype, const Shortcut& shortcut, const void* dy, void* dx, std::int64_t first,
                           std::int64_t count, cudaStream_t stream);

}  // namespace eraserelu::cuda
