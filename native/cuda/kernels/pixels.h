// Kernels in which a thread makes a pack of channels of one pixel.
#pragma once

#include "cuda/kernels/rows.h"

namespace eraserelu::cuda {

struct Pixel {
  std::int64_t image;
  int row, column;
};

/// The thread's pixel, of `count` images from `first` with height·width pixels each; false if it has none.
__device__ __forceinline__ bool find_pixel(std::int64_t first, std::int64_t count, int height, int width, Pixel& pixel) {
  const std::int64_t number = row_number<1>(0);
  if (number >= count * height * width) return false;
  const auto local = static_cast<unsigned>(number), size = static_cast<unsigned>(height * width), inside = local % size;
  pixel = {first + local / size, static_cast<int>(inside / static_cast<unsigned>(width)),
           static_cast<int>(inside % static_cast<unsigned>(width))};
  return true;
}

/// The first element of a pixel in its image [height,width,channels]. An image has less than 2^31 elements.
__device__ __forceinline__ int pixel_offset(int row, int column, int width, int channels) {
  return (row * width + column) * channels;
}

/// The first element of an image.
__device__ __forceinline__ std::int64_t image_offset(std::int64_t image, int height, int width, int channels) {
  return image * height * width * channels;
}

}  // namespace eraserelu::cuda
