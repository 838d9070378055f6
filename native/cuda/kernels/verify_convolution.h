// What an engine is checked by that nobody has seen computing the right thing on this device: random operands, and a plain
// convolution, in double, of a sample of its results. Each returns what its launch returned.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "base/activation.h"
#include "base/tensor_desc.h"

namespace eraserelu::cuda {

/// Uniform numbers in [-1, 1), the same for the same seed. With `steps` (a power of two) they are odd multiples of 1/(2·steps): products and sums of a
/// few are exact, and so are their signs.
cudaError_t random_values(DType dtype, std::uint64_t seed, void* values, std::int64_t n, cudaStream_t stream, float steps = 0);

/// Of every four channels of x [n / channels, channels], adds `offset` to the second and multiplies the fourth by `factor`.
cudaError_t vary_channels(DType dtype, void* x, std::int64_t n, std::int64_t channels, float offset, float factor, cudaStream_t stream);

/// x [images, height, width, channels], w [filters, kernel, channels / groups], y [images, outHeight, outWidth, filters].
struct ConvolutionSizes {
  std::int64_t images, height, width, channels;
  std::int64_t filters, kernelHeight, kernelWidth, groups;
  std::int64_t outHeight, outWidth;
  std::int64_t strideHeight, strideWidth, padTop, padLeft, dilationHeight, dilationWidth;

  template <typename Visit>
  void each_pointer(Visit) const {}
};

/// Which of the three tensors was computed from the two others.
enum class ConvolutionResult { y, x, w };

struct ConvolutionCheck {
  const void* x;
  const void* w;
  const void* y;
  const float* bias;      // of y, always f32; or nullptr
  const void* addend;     // of y or x, as large; or nullptr
  Activation activation;  // of y

  const std::int64_t* samples;   // positions in the result
  std::int64_t count;
  /// Of each sample: its distance from the right value, relative to that or to the root of the sum of squares of what is added
  /// up for it, whichever is larger. NaN where the result is NaN.
  double* errors;

  template <typename Visit>
  void each_pointer(Visit visit) const {
    visit(x), visit(w), visit(y), visit(bias), visit(addend), visit(samples), visit(errors);
  }
};

/// All tensors but the bias are of type `dtype`; samples and errors are in the device's memory.
cudaError_t verify_convolution(ConvolutionResult result, DType dtype, const ConvolutionSizes& sizes,
                               const ConvolutionCheck& check, cudaStream_t stream);

}  // namespace eraserelu::cuda
