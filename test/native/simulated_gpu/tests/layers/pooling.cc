// Pooling and the shortcut against plain loops.
#include "cuda/kernels/pooling.h"

#include <functional>

#include "cuda/kernels/shortcut.h"
#include "tests/layers/tensor.h"

using cuda::Windows;

namespace {

constexpr std::int64_t batch = 3;

Windows windows(int height, int width, int channels, int kernelHeight, int kernelWidth, int strideHeight, int strideWidth,
                const int (&pad)[4], bool countIncludePad = false) {
  return {height,
          width,
          (height + pad[0] + pad[1] - kernelHeight) / strideHeight + 1,
          (width + pad[2] + pad[3] - kernelWidth) / strideWidth + 1,
          kernelHeight,
          kernelWidth,
          strideHeight,
          strideWidth,
          pad[0],
          pad[2],
          countIncludePad,
          channels};
}

const Windows examples[] = {
    windows(8, 8, 16, 2, 2, 2, 2, {0, 0, 0, 0}),
    windows(7, 5, 10, 2, 2, 2, 2, {0, 0, 0, 0}),
    windows(9, 9, 36, 3, 3, 2, 2, {1, 1, 1, 1}),
    windows(5, 6, 1, 3, 3, 1, 1, {1, 1, 1, 1}, true),
    windows(6, 7, 3, 3, 2, 1, 2, {0, 0, 0, 0}),
    windows(5, 5, 8, 4, 4, 1, 1, {2, 1, 3, 0}),
    windows(5, 5, 8, 4, 4, 1, 1, {2, 1, 3, 0}, true),
    windows(8, 8, 5, 2, 2, 3, 3, {0, 0, 0, 0}),       // pixels that no window reaches
    windows(16, 16, 2, 16, 16, 1, 1, {0, 0, 0, 0}),   // 256 taps
    windows(4, 4, 600, 2, 2, 2, 2, {0, 0, 0, 0}),     // blocks side by side
};

std::int64_t x_elements(const Windows& w) { return batch * w.height * w.width * w.channels; }
std::int64_t y_elements(const Windows& w) { return batch * w.outHeight * w.outWidth * w.channels; }

/// An element of an output: visit(tap, x element) goes over the window, in row-major order, without padding.
void each_tap(const Windows& w, std::int64_t element, const std::function<void(int, std::size_t)>& visit) {
  const std::int64_t c = element % w.channels, pixel = element / w.channels;
  const std::int64_t column = pixel % w.outWidth, row = pixel / w.outWidth % w.outHeight,
                     image = pixel / w.outWidth / w.outHeight;
  for (int r = 0; r < w.kernelHeight; ++r)
    for (int s = 0; s < w.kernelWidth; ++s) {
      const std::int64_t y = row * w.strideHeight - w.top + r, x = column * w.strideWidth - w.left + s;
      if (y >= 0 && y < w.height && x >= 0 && x < w.width)
        visit(r * w.kernelWidth + s, static_cast<std::size_t>(((image * w.height + y) * w.width + x) * w.channels + c));
    }
}

int divisor(const Windows& w, std::int64_t element) {
  int inside = 0;
  each_tap(w, element, [&](int, std::size_t) { ++inside; });
  return w.countIncludePad ? w.kernelHeight * w.kernelWidth : inside;
}

/// The first maximum of each window, and the first NaN before everything.
struct Maxima {
  Maxima(const Windows& w, const Values& x) {
    for (std::int64_t e = 0; e < y_elements(w); ++e) {
      float best = 0;
      int winner = -1;
      each_tap(w, e, [&](int tap, std::size_t from) {
        if (winner >= 0 && !(x[from] > best) && !(std::isnan(x[from]) && !std::isnan(best))) return;
        best = x[from];
        winner = tap;
      });
      value.push_back(best);
      argmax.push_back(static_cast<float>(winner));
    }
  }

  Values value, argmax;
};

template <typename Body>
void for_each_example(const Body& body) {
  for (const DType dtype : dtypes)
    for (const Windows& w : examples) body(dtype, w);
}

auto elements_of(const Values& values) {
  return [&values](std::int64_t e) { return values[static_cast<std::size_t>(e)]; };
}

}  // namespace

TEST(max_pool_finds_the_first_maximum) {
  for_each_example([](DType dtype, const Windows& w) {
    Values x = draw(x_elements(w));
    for (std::size_t i = 3; i < x.size(); i += 7) x[i] = i % 2 == 0 ? NAN : -INFINITY;
    const Maxima maxima(w, x);
    const DeviceTensor device(dtype, x), y(dtype, y_elements(w)), argmax(DType::u8, y_elements(w)), alone(dtype, y_elements(w));
    in_chunks(batch, 2, [&](std::int64_t first, std::int64_t count) {
      return cuda::max_pool(dtype, w, device, y, argmax, first, count, nullptr);
    });
    CUDA(cuda::max_pool(dtype, w, device, alone, nullptr, 0, batch, nullptr));
    const Values found = y.values();
    for (std::size_t e = 0; e < found.size(); ++e)
      CHECK(found[e] == maxima.value[e] || (std::isnan(found[e]) && std::isnan(maxima.value[e])));
    check_values("argmax", argmax.values(), 0, elements_of(maxima.argmax));
    for (std::size_t e = 0; e < found.size(); ++e) CHECK(std::isnan(found[e]) || alone.values()[e] == found[e]);
  });
}

TEST(max_pool_bwd_gives_each_pixel_what_its_windows_gave) {
  for_each_example([](DType dtype, const Windows& w) {
    const Values dy = draw(y_elements(w));
    const Maxima maxima(w, draw(x_elements(w)));
    std::vector<double> expected(static_cast<std::size_t>(x_elements(w)));
    for (std::int64_t e = 0; e < y_elements(w); ++e)
      each_tap(w, e, [&](int tap, std::size_t to) {
        if (static_cast<float>(tap) == maxima.argmax[static_cast<std::size_t>(e)])
          expected[to] += dy[static_cast<std::size_t>(e)];
      });
    const DeviceTensor device(dtype, dy), argmax(DType::u8, maxima.argmax), dx(dtype, x_elements(w));
    in_chunks(batch, 2, [&](std::int64_t first, std::int64_t count) {
      return cuda::max_pool_bwd(dtype, w, device, argmax, dx, first, count, nullptr);
    });
    check_values("dx", dx.values(), tolerance_of(dtype), [&](std::int64_t e) { return expected[static_cast<std::size_t>(e)]; });
  });
}

TEST(avg_pool_and_its_gradient) {
  for_each_example([](DType dtype, const Windows& w) {
    const Values x = draw(x_elements(w)), dy = draw(y_elements(w));
    std::vector<double> gradient(static_cast<std::size_t>(x_elements(w)));
    const DeviceTensor deviceX(dtype, x), deviceDy(dtype, dy), y(dtype, y_elements(w)), dx(dtype, x_elements(w));
    in_chunks(batch, 2, [&](std::int64_t first, std::int64_t count) {
      const cudaError_t status = cuda::avg_pool(dtype, w, deviceX, y, first, count, nullptr);
      return status != cudaSuccess ? status : cuda::avg_pool_bwd(dtype, w, deviceDy, dx, first, count, nullptr);
    });
    check_values("y", y.values(), tolerance_of(dtype), [&](std::int64_t e) {
      double sum = 0;
      each_tap(w, e, [&](int, std::size_t from) {
        sum += x[from];
        gradient[from] += double{dy[static_cast<std::size_t>(e)]} / divisor(w, e);
      });
      return sum / divisor(w, e);
    });
    check_values("dx", dx.values(), tolerance_of(dtype), [&](std::int64_t e) { return gradient[static_cast<std::size_t>(e)]; });
  });
}

TEST(global_avg_pool_and_its_gradient) {
  constexpr std::int64_t shapes[][2] = {{64, 16}, {35, 3}, {1, 10}, {49, 520}, {300, 8}, {7, 1}};   // pixels, channels
  for (const DType dtype : dtypes)
    for (const auto& [pixels, channels] : shapes) {
      const std::int64_t p = pixels, c = channels;
      const Values x = draw(batch * p * c), dy = draw(batch * c);
      const DeviceTensor deviceX(dtype, x), deviceDy(dtype, dy), y(dtype, batch * c), dx(dtype, batch * p * c);
      in_chunks(batch, 2, [&](std::int64_t first, std::int64_t count) {
        const cudaError_t status = cuda::global_avg_pool(dtype, deviceX, y, p, c, first, count, nullptr);
        return status != cudaSuccess ? status : cuda::global_avg_pool_bwd(dtype, deviceDy, dx, p, c, first, count, nullptr);
      });
      check_values("y", y.values(), tolerance_of(dtype), [&](std::int64_t e) {
        double sum = 0;
        for (std::int64_t pixel = 0; pixel < p; ++pixel) sum += x[static_cast<std::size_t>((e / c * p + pixel) * c + e % c)];
        return sum / static_cast<double>(p);
      });
      check_values("dx", dx.values(), tolerance_of(dtype), [&](std::int64_t e) {
        return dy[static_cast<std::size_t>(e / (p * c) * c + e % c)] / static_cast<double>(p);
      });
    }
}

TEST(shortcut_picks_pixels_and_gives_them_back) {
  const cuda::Shortcut shortcuts[] = {{8, 8, 4, 4, 2, 2, 16, 32}, {7, 5, 4, 5, 2, 1, 3, 10}, {7, 7, 4, 4, 2, 2, 10, 10},
                                      {4, 4, 4, 4, 1, 1, 4, 4},   {5, 4, 2, 2, 3, 3, 1, 36}, {4, 4, 2, 2, 2, 2, 64, 640}};
  for (const DType dtype : dtypes)
    for (const cuda::Shortcut& s : shortcuts) {
      const std::int64_t in = batch * s.height * s.width * s.channels, out = batch * s.outHeight * s.outWidth * s.outChannels;
      const Values x = draw(in), dy = draw(out);
      std::vector<double> gradient(static_cast<std::size_t>(in));
      const DeviceTensor deviceX(dtype, x), deviceDy(dtype, dy), y(dtype, out), dx(dtype, in);
      in_chunks(batch, 2, [&](std::int64_t first, std::int64_t count) {
        const cudaError_t status = cuda::shortcut_a(dtype, s, deviceX, y, first, count, nullptr);
        return status != cudaSuccess ? status : cuda::shortcut_a_bwd(dtype, s, deviceDy, dx, first, count, nullptr);
      });
      check_values("y", y.values(), 0, [&](std::int64_t e) {
        const std::int64_t c = e % s.outChannels, pixel = e / s.outChannels, column = pixel % s.outWidth * s.strideWidth,
                           row = pixel / s.outWidth % s.outHeight * s.strideHeight, image = pixel / s.outWidth / s.outHeight;
        if (c >= s.channels) return 0.0f;
        const auto from = static_cast<std::size_t>(((image * s.height + row) * s.width + column) * s.channels + c);
        gradient[from] = dy[static_cast<std::size_t>(e)];
        return x[from];
      });
      check_values("dx", dx.values(), 0, [&](std::int64_t e) { return gradient[static_cast<std::size_t>(e)]; });
    }
}
