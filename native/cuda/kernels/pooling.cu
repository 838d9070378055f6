// Pooling over windows. Gradients gather: a thread adds up what the windows over its pixel give, row by row.
// The bounds ask for only 1 block a multiprocessor: for more, the compiler would spill a register or two.
#include "cuda/kernels/pooling.h"

#include "cuda/kernel.h"
#include "cuda/kernels/pixels.h"

namespace eraserelu::cuda {
namespace {

/// Indices from first to last, none if last < first.
struct Range {
  int first, last;
};

/// The taps of a window that lie inside the image, along one axis; `start` is where the window begins.
__device__ __forceinline__ Range taps_inside(int start, int kernel, int extent) {
  return {start < 0 ? -start : 0, (start + kernel < extent ? kernel : extent - start) - 1};
}

/// The windows that have position i, counted in the padded axis, along one axis.
__device__ __forceinline__ Range windows_over(int i, int kernel, int stride, int windows) {
  const int reach = i - kernel;   // the window before the first one begins here, or further back
  const int last = i / stride;
  return {reach < 0 ? 0 : reach / stride + 1, last < windows ? last : windows - 1};
}

/// Calls visit(tap, offset in the image) for the taps of output pixel `p` inside the image, in row-major order.
template <typename Visit>
__device__ __forceinline__ void each_tap(const Windows& w, const Pixel& p, const Visit& visit) {
  const int y0 = p.row * w.strideHeight - w.top, x0 = p.column * w.strideWidth - w.left;
  const Range rows = taps_inside(y0, w.kernelHeight, w.height), columns = taps_inside(x0, w.kernelWidth, w.width);
  for (int r = rows.first; r <= rows.last; ++r)
    for (int s = columns.first; s <= columns.last; ++s)
      visit(r * w.kernelWidth + s, pixel_offset(y0 + r, x0 + s, w.width, w.channels));
}

/// Calls visit(tap, window row, window column, offset in the output's image) for the windows over input pixel `p`.
template <typename Visit>
__device__ __forceinline__ void each_window(const Windows& w, const Pixel& p, const Visit& visit) {
  const int y = p.row + w.top, x = p.column + w.left;
  const Range rows = windows_over(y, w.kernelHeight, w.strideHeight, w.outHeight);
  const Range columns = windows_over(x, w.kernelWidth, w.strideWidth, w.outWidth);
  for (int i = rows.first; i <= rows.last; ++i)
    for (int j = columns.first; j <= columns.last; ++j)
      visit((y - i * w.strideHeight) * w.kernelWidth + x - j * w.strideWidth, i, j, pixel_offset(i, j, w.outWidth, w.channels));
}

/// What the sum of window (i, j) is divided by.
__device__ __forceinline__ float divisor(const Windows& w, int i, int j) {
  if (w.countIncludePad) return static_cast<float>(w.kernelHeight * w.kernelWidth);
  const Range rows = taps_inside(i * w.strideHeight - w.top, w.kernelHeight, w.height);
  const Range columns = taps_inside(j * w.strideWidth - w.left, w.kernelWidth, w.width);
  return static_cast<float>((rows.last - rows.first + 1) * (columns.last - columns.first + 1));
}

__device__ __forceinline__ std::int64_t output_offset(const Windows& w, const Pixel& p) {
  return image_offset(p.image, w.outHeight, w.outWidth, w.channels) + pixel_offset(p.row, p.column, w.outWidth, w.channels);
}

__device__ __forceinline__ std::int64_t input_offset(const Windows& w, const Pixel& p) {
  return image_offset(p.image, w.height, w.width, w.channels) + pixel_offset(p.row, p.column, w.width, w.channels);
}

template <typename T, int width>
__device__ __forceinline__ Pack<T, width> rounded(const float (&values)[width]) {
  Pack<T, width> pack;
  for (int i = 0; i < width; ++i) pack.values[i] = from_float<T>(values[i]);
  return pack;
}

template <typename T, int width>
__global__ void __launch_bounds__(blockSize, 1)
    max_pool_kernel(Windows w, const T* x, T* y, std::uint8_t* argmax, std::int64_t first, std::int64_t count) {
  const int c = first_channel<width>();
  Pixel p;
  if (c >= w.channels || !find_pixel(first, count, w.outHeight, w.outWidth, p)) return;
  const T* const image = x + image_offset(p.image, w.height, w.width, w.channels) + c;
  Pack<T, width> best{};
  int winner[width];
  for (int i = 0; i < width; ++i) winner[i] = -1;
  each_tap(w, p, [&](int tap, int from) {
    const auto pack = Pack<T, width>::load(image + from);
    for (int i = 0; i < width; ++i) {
      const float value = to_float(pack.values[i]), most = to_float(best.values[i]);
      if (winner[i] >= 0 && !(value > most) && (value == value || most != most)) continue;
      best.values[i] = pack.values[i];
      winner[i] = tap;
    }
  });
  const std::int64_t to = output_offset(w, p) + c;
  best.store(y + to);
  if (!argmax) return;
  Pack<std::uint8_t, width> taps;
  for (int i = 0; i < width; ++i) taps.values[i] = static_cast<std::uint8_t>(winner[i]);
  taps.store(argmax + to);
}

template <typename T, int width>
__global__ void __launch_bounds__(blockSize, 1)
    max_pool_bwd_kernel(Windows w, const T* dy, const std::uint8_t* argmax, T* dx, std::int64_t first, std::int64_t count) {
  const int c = first_channel<width>();
  Pixel p;
  if (c >= w.channels || !find_pixel(first, count, w.height, w.width, p)) return;
  const std::int64_t start = image_offset(p.image, w.outHeight, w.outWidth, w.channels) + c;
  const T* const image = dy + start;
  const std::uint8_t* const winners = argmax + start;
  float total[width] = {};
  each_window(w, p, [&](int tap, int, int, int from) {
    const auto taps = Pack<std::uint8_t, width>::load(winners + from);
    const auto pack = Pack<T, width>::load(image + from);
    for (int i = 0; i < width; ++i)
      if (taps.values[i] == tap) total[i] += to_float(pack.values[i]);
  });
  rounded<T>(total).store(dx + input_offset(w, p) + c);
}

template <typename T, int width>
__global__ void __launch_bounds__(blockSize, 1)
    avg_pool_kernel(Windows w, const T* x, T* y, std::int64_t first, std::int64_t count) {
  const int c = first_channel<width>();
  Pixel p;
  if (c >= w.channels || !find_pixel(first, count, w.outHeight, w.outWidth, p)) return;
  const T* const image = x + image_offset(p.image, w.height, w.width, w.channels) + c;
  float total[width] = {};
  each_tap(w, p, [&](int, int from) {
    const auto pack = Pack<T, width>::load(image + from);
    for (int i = 0; i < width; ++i) total[i] += to_float(pack.values[i]);
  });
  const float by = divisor(w, p.row, p.column);
  for (int i = 0; i < width; ++i) total[i] /= by;
  rounded<T>(total).store(y + output_offset(w, p) + c);
}

template <typename T, int width>
__global__ void __launch_bounds__(blockSize, 1)
    avg_pool_bwd_kernel(Windows w, const T* dy, T* dx, std::int64_t first, std::int64_t count) {
  const int c = first_channel<width>();
  Pixel p;
  if (c >= w.channels || !find_pixel(first, count, w.height, w.width, p)) return;
  const T* const image = dy + image_offset(p.image, w.outHeight, w.outWidth, w.channels) + c;
  float total[width] = {};
  each_window(w, p, [&](int, int i, int j, int from) {
    const auto pack = Pack<T, width>::load(image + from);
    const float by = divisor(w, i, j);
    for (int lane = 0; lane < width; ++lane) total[lane] += to_float(pack.values[lane]) / by;
  });
  rounded<T>(total).store(dx + input_offset(w, p) + c);
}

}  // namespace

cudaError_t max_pool(DType dtype, const Windows& windows, const void* x, void* y, std::uint8_t* argmax, std::int64_t first,
                     std::int64_t count, cudaStream_t stream) {
  return with_packs(
      dtype, windows.channels,
      [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        const Rectangles rectangles(windows.channels, width);
        return launch(max_pool_kernel<T, decltype(width)::value>,
                      rectangles.grid(count * windows.outHeight * windows.outWidth, 1), rectangles.block, 0, stream, windows,
                      static_cast<const T*>(x), static_cast<T*>(y), argmax, first, count);
      },
      x, y, argmax);
}

cudaError_t max_pool_bwd(DType dtype, const Windows& windows, const void* dy, const std::uint8_t* argmax, void* dx,
                         std::int64_t first, std::int64_t count, cudaStream_t stream) {
  return with_packs(
      dtype, windows.channels,
      [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        const Rectangles rectangles(windows.channels, width);
        return launch(max_pool_bwd_kernel<T, decltype(width)::value>, rectangles.grid(count * windows.height * windows.width, 1),
                      rectangles.block, 0, stream, windows, static_cast<const T*>(dy), argmax, static_cast<T*>(dx), first, count);
      },
      dy, argmax, dx);
}

cudaError_t avg_pool(DType dtype, const Windows& windows, const void* x, void* y, std::int64_t first, std::int64_t count,
                     cudaStream_t stream) {
  return with_packs(
      dtype, windows.channels,
      [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        const Rectangles rectangles(windows.channels, width);
        return launch(avg_pool_kernel<T, decltype(width)::value>,
                      rectangles.grid(count * windows.outHeight * windows.outWidth, 1), rectangles.block, 0, stream, windows,
                      static_cast<const T*>(x), static_cast<T*>(y), first, count);
      },
      x, y);
}

cudaError_t avg_pool_bwd(DType dtype, const Windows& windows, const void* dy, void* dx, std::int64_t first, std::int64_t count,
                         cudaStream_t stream) {
  return with_packs(
      dtype, windows.channels,
      [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        const Rectangles rectangles(windows.channels, width);
        return launch(avg_pool_bwd_kernel<T, decltype(width)::value>, rectangles.grid(count * windows.height * windows.width, 1),
                      rectangles.block, 0, stream, windows, static_cast<const T*>(dy), static_cast<T*>(dx), first, count);
      },
      dy, dx);
}

}  // namespace eraserelu::cuda
