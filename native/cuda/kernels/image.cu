// A thread computes a pack of neighbouring output elements, whatever pixels they belong to; the tail element by element.
#include "cuda/kernels/image.h"

#include "base/augment.h"
#include "cuda/kernel.h"
#include "cuda/kernels/element.h"
#include "cuda/kernels/flat.h"

namespace eraserelu::cuda {
namespace {

/// A place in the output, and what the pixel there is made of.
class Cursor {
 public:
  __device__ __forceinline__ Cursor(const ImageInput& a, std::int64_t element)
      : a_(a), channel_(element % a.outChannels), column_(element / a.outChannels % a.outWidth),
        row_(element / a.outChannels / a.outWidth % a.outHeight), image_(element / a.outChannels / a.outWidth / a.outHeight) {
    find_pixel();
  }

  __device__ __forceinline__ float value() const {
    const bool zero = blank_ || channel_ >= a_.channels;
    return a_.table[zero ? a_.channels * 256 : channel_ * 256 + (pixel_ ? pixel_[channel_] : 0)];
  }

  __device__ __forceinline__ void advance() {
    if (++channel_ < a_.outChannels) return;
    channel_ = 0;
    if (++column_ == a_.outWidth) column_ = 0, ++row_;
    if (row_ == a_.outHeight) row_ = 0, ++image_;
    find_pixel();
  }

 private:
  __device__ __forceinline__ void find_pixel() {
    const std::int64_t source = a_.indices ? a_.indices[image_] : image_;
    blank_ = source < 0 || source >= a_.sources ||
             (a_.cutouts && in_cutout(row_, column_, a_.cutouts[2 * image_], a_.cutouts[2 * image_ + 1], a_.cutout));
    if (blank_) return;
    const std::int64_t column = a_.flips[image_] ? a_.outWidth - 1 - column_ : column_;
    const std::int64_t h = source_index(row_, a_.offsets[2 * image_], a_.pad, a_.height, a_.reflect);
    const std::int64_t w = source_index(column, a_.offsets[2 * image_ + 1], a_.pad, a_.width, a_.reflect);
    pixel_ = h < 0 || w < 0 ? nullptr : a_.source + ((source * a_.height + h) * a_.width + w) * a_.channels;
  }

  const ImageInput& a_;
  std::int64_t channel_, column_, row_, image_;
  const std::uint8_t* pixel_ = nullptr;   // nullptr: padding, of raw value 0
  bool blank_ = false;                    // zero after normalisation
};

/// Elements [first, end) of x, of which the packs come first.
template <typename T>
__global__ void __launch_bounds__(blockSize)
    image_kernel(ImageInput a, std::int64_t first, std::int64_t packs, std::int64_t end) {
  constexpr int width = packWidth<T>;
  T* x = static_cast<T*>(a.x);
  const std::int64_t thread = thread_number();
  if (thread < packs) {
    const std::int64_t element = first + thread * width;
    Cursor cursor(a, element);
    Pack<T, width> out;
    for (int i = 0; i < width; ++i) {
      if (i > 0) cursor.advance();
      out.values[i] = from_float<T>(cursor.value());
    }
    out.store(x + element);
  }
  const std::int64_t tail = first + packs * width + thread;
  if (tail < end) x[tail] = from_float<T>(Cursor(a, tail).value());
}

}  // namespace

cudaError_t image_input(DType dtype, const ImageInput& a, std::int64_t first, std::int64_t count, cudaStream_t stream) {
  const std::int64_t image = a.outHeight * a.outWidth * a.outChannels;
  return with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Division division(count * image, packWidth<T>, static_cast<const T*>(a.x) + first * image);
    return launch(image_kernel<T>, division.grid, dim3(blockSize), 0, stream, a, first * image, division.packs,
                  (first + count) * image);
  });
}

}  // namespace eraserelu::cuda
