// Pooling over windows of images [N,H,W,C], and over whole images. Each function works on `count` images from `first` and returns
// what its launch returned.
#pragma once

#include <cuda_runtime_api.h>

#include "base/tensor_desc.h"

namespace eraserelu::cuda {

/// Where windows lie.
struct Windows {
  int height, width;         // of an image
  int outHeight, outWidth;   // windows
  int kernelHeight, kernelWidth;
  int strideHeight, strideWidth;
  int top, left;          // padding
  bool countIncludePad;   // of averages
  int channels;

  template <typename Visit>
  void each_pointer(Visit) const {}
};

/// argmax may be nullptr.
cudaError_t max_pool(DType dtype, const Windows& windows, const void* x, void* y, std::uint8_t* argmax, std::int64_t first,
                     std::int64_t count, cudaStream_t stream);
cudaError_t max_pool_bwd(DType dtype, const Windows& windows, const void* dy, const std::uint8_t* argmax, void* dx,
                         std::int64_t first, std::int64_t count, cudaStream_t stream);
cudaError_t avg_pool(DType dtype, const Windows& windows, const void* x, void* y, std::int64_t first, std::int64_t count,
                     cudaStream_t stream);
cudaError_t avg_pool_bwd(DType dtype, const Windows& windows, const void* dy, void* dx, std::int64_t first, std::int64_t count,
                         cudaStream_t stream);

/// x [N,pixels,C], y [N,C].
cudaError_t global_avg_pool(DType dtype, const void* x, void* y, std::int64_t pixels, std::int64_t channels, std::int64_t first,
                            std::int64_t count, cudaStream_t stream);
cudaError_t global_avg_pool_bwd(DType dtype, const void* dy, void* dx, std::int64_t pixels, std::int64_t channels,
                                std::int64_t first, std::int64_t count, cudaStream_t stream);

}  // namespace eraserelu::cuda
