// A thread writes one pack, of zeros or of what it picks. A pack lies in the input's channels or beyond them, as it fits both.
#include "cuda/kernels/shortcut.h"

#include <numeric>

#include "cuda/kernel.h"
#include "cuda/kernels/pixels.h"

namespace eraserelu::cuda {
namespace {

template <typename T, int width>
__global__ void __launch_bounds__(blockSize)
    shortcut_kernel(Shortcut s, const T* x, T* y, std::int64_t first, std::int64_t count) {
  const int c = first_channel<width>();
  Pixel p;
  if (c >= s.outChannels || !find_pixel(first, count, s.outHeight, s.outWidth, p)) return;
  Pack<T, width> pack{};
  if (c < s.channels)
    pack = Pack<T, width>::load(x + image_offset(p.image, s.height, s.width, s.channels) +
                                pixel_offset(p.row * s.strideHeight, p.column * s.strideWidth, s.width, s.channels) + c);
  pack.store(y + image_offset(p.image, s.outHeight, s.outWidth, s.outChannels) +
             pixel_offset(p.row, p.column, s.outWidth, s.outChannels) + c);
}

template <typename T, int width>
__global__ void __launch_bounds__(blockSize)
    shortcut_bwd_kernel(Shortcut s, const T* dy, T* dx, std::int64_t first, std::int64_t count) {
  const int c = first_channel<width>();
  Pixel p;
  if (c >= s.channels || !find_pixel(first, count, s.height, s.width, p)) return;
  Pack<T, width> pack{};
  if (p.row % s.strideHeight == 0 && p.column % s.strideWidth == 0)
    pack = Pack<T, width>::load(dy + image_offset(p.image, s.outHeight, s.outWidth, s.outChannels) +
                                pixel_offset(p.row / s.strideHeight, p.column / s.strideWidth, s.outWidth, s.outChannels) + c);
  pack.store(dx + image_offset(p.image, s.height, s.width, s.channels) + pixel_offset(p.row, p.column, s.width, s.channels) + c);
}

}  // namespace

cudaError_t shortcut_a(DType dtype, const Shortcut& shortcut, const void* x, void* y, std::int64_t first, std::int64_t count,
                       cudaStream_t stream) {
  return with_packs(
      dtype, std::gcd(shortcut.channels, shortcut.outChannels),
      [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        const Rectangles rectangles(shortcut.outChannels, width);
        return launch(shortcut_kernel<T, decltype(width)::value>,
                      rectangles.grid(count * shortcut.outHeight * shortcut.outWidth, 1), rectangles.block, 0, stream, shortcut,
                      static_cast<const T*>(x), static_cast<T*>(y), first, count);
      },
      x, y);
}

cudaError_t shortcut_a_bwd(DType dtype, const Shortcut& shortcut, const void* dy, void* dx, std::int64_t first,
                           std::int64_t count, cudaStream_t stream) {
  return with_packs(
      dtype, std::gcd(shortcut.channels, shortcut.outChannels),
      [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        const Rectangles rectangles(shortcut.channels, width);
        return launch(shortcut_bwd_kernel<T, decltype(width)::value>,
                      rectangles.grid(count * shortcut.height * shortcut.width, 1), rectangles.block, 0, stream, shortcut,
                      static_cast<const T*>(dy), static_cast<T*>(dx), first, count);
      },
      dy, dx);
}

}  // namespace eraserelu::cuda
