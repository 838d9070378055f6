// Pooling over NHWC by rows of what is written, channels vectorised.
#include <cstring>

#include "backend/kernel_base.h"
#include "onednn/kernels.h"
#include "onednn/parallel.h"
#include "onednn/simd/loops.h"

namespace eraserelu::cpu {

namespace {

/// Windows over an image [H,W,C].
struct Windows {
  std::int64_t batch, height, width, channels, outHeight, outWidth;
  std::int64_t kernelHeight, kernelWidth, strideHeight, strideWidth, top, left;
  bool countIncludePad;

  Windows(const OpDesc& desc, const TensorDesc& x, const TensorDesc& y)
      : batch(x.dim(0)), height(x.dim(1)), width(x.dim(2)), channels(x.dim(3)), outHeight(y.dim(1)), outWidth(y.dim(2)) {
    const Shape kernel = desc.attributes.integers("kernel"), stride = desc.attributes.integers("stride"),
                pad = desc.attributes.integers("pad");
    kernelHeight = kernel[0], kernelWidth = kernel[1];
    strideHeight = stride[0], strideWidth = stride[1];
    top = pad[0], left = pad[2];
    countIncludePad = desc.attributes.has("countIncludePad") && desc.attributes.flag("countIncludePad");
  }

  std::int64_t x_row() const { return width * channels; }
  std::int64_t y_row() const { return outWidth * channels; }
  std::int64_t x_image() const { return height * x_row(); }
  std::int64_t y_image() const { return outHeight * y_row(); }

  /// Calls visit(tap, offset) for the pixels of window (i, j) inside the image, in row-major order.
  template <typename Visit>
  void each_tap(std::int64_t i, std::int64_t j, const Visit& visit) const {
    const std::int64_t y0 = i * strideHeight - top;
    for (std::int64_t y = std::max<std::int64_t>(0, y0); y < std::min(height, y0 + kernelHeight); ++y)
      each_tap_of_row(i, j, y, [&](int tap, std::int64_t offset) { visit(tap, y * x_row() + offset); });
  }

  /// Calls visit(tap, offset in the row) for the pixels of window (i, j) in row y of the image.
  template <typename Visit>
  void each_tap_of_row(std::int64_t i, std::int64_t j, std::int64_t y, const Visit& visit) const {
    const std::int64_t r = y - (i * strideHeight - top), x0 = j * strideWidth - left;
    for (std::int64_t s = std::max<std::int64_t>(0, -x0); s < std::min(kernelWidth, width - x0); ++s)
      visit(static_cast<int>(r * kernelWidth + s), (x0 + s) * channels);
  }

  /// What the sum of window (i, j) is divided by.
  float divisor(std::int64_t i, std::int64_t j) const {
    if (countIncludePad) return static_cast<float>(kernelHeight * kernelWidth);
    const std::int64_t y0 = i * strideHeight - top, x0 = j * strideWidth - left;
    const std::int64_t rows = std::min(height, y0 + kernelHeight) - std::max<std::int64_t>(0, y0);
    const std::int64_t columns = std::min(width, x0 + kernelWidth) - std::max<std::int64_t>(0, x0);
    return static_cast<float>(rows * columns);
  }

  /// Calls body(image, i, j) for every output pixel, rows in parallel.
  template <typename Body>
  void each_output(std::int64_t first, std::int64_t count, const Body& body) const {
    parallel_for(count * outHeight, count * y_image(), [&](std::int64_t row, int) {
      for (std::int64_t j = 0; j < outWidth; ++j) body(first + row / outHeight, row % outHeight, j);
    });
  }

  /// Writes dx, rows in parallel: calls add(dy offset, i, j, tap, sums of the pixel) for every pixel of a row in every window, in order.
  /// The sums are floats: dx itself, or a row a thread in `scratch` (row_scratch).
  template <typename T, typename Add>
  void gather(T* dx, float* scratch, std::int64_t first, std::int64_t count, const Add& add) const {
    parallel_for(count * height, count * x_image(), [&](std::int64_t row, int thread) {
      const std::int64_t image = first + row / height, y = row % height;
      T* const out = dx + image * x_image() + y * x_row();
      float* into = nullptr;
      if constexpr (std::is_same_v<T, float>) into = out;
      else into = scratch + thread * x_row();
      std::memset(into, 0, static_cast<std::size_t>(x_row()) * sizeof(float));
      // The windows i with i * strideHeight - top <= y < i * strideHeight - top + kernelHeight.
      const std::int64_t begin = std::max<std::int64_t>(0, ceil_div(y + top - kernelHeight + 1, strideHeight));
      const std::int64_t end = std::min(outHeight, (y + top) / strideHeight + 1);
      for (std::int64_t i = begin; i < end; ++i)
        for (std::int64_t j = 0; j < outWidth; ++j) {
          const std::int64_t at = image * y_image() + i * y_row() + j * channels;
          each_tap_of_row(i, j, y, [&](int tap, std::int64_t offset) { add(at, i, j, tap, into + offset); });
        }
      if constexpr (!std::is_same_v<T, float>) loops<T>().narrow(into, out, x_row());
    });
  }

  template <typename T>
  Requirements row_scratch() const {
    Requirements needs;
    if (!std::is_same_v<T, float>) needs.scratchpad = static_cast<std::size_t>(worker_threads() * x_row()) * sizeof(float);
    return needs;
  }
};

}  // namespace

template <typename T>
std::unique_ptr<Kernel> max_pool(const OpDesc& desc) {
  const Windows w(desc, desc.read("x"), desc.write("y"));
  ScratchLayout scratch;
  const std::int64_t taps = w.kernelHeight * w.kernelWidth;
  scratch.add(static_cast<std::size_t>(worker_threads() * taps) * sizeof(WindowTap<T>));
  Requirements needs;
  needs.scratchpad = scratch.bytes();

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    const T* x = at.read<T>("x");
    T* y = at.write<T>("y");
    std::uint8_t* argmax = at.write<std::uint8_t>("argmax");
    WindowTap<T>* threadTaps = reinterpret_cast<WindowTap<T>*>(at.scratchpad());
    return [=](std::int64_t first, std::int64_t count) {
      w.each_output(first, count, [&](std::int64_t image, std::int64_t i, std::int64_t j) {
        WindowTap<T>* const list = threadTaps + omp_get_thread_num() * taps;
        int found = 0;
        w.each_tap(i, j, [&](int tap, std::int64_t offset) { list[found++] = {x + image * w.x_image() + offset, tap}; });
        const std::int64_t out = image * w.y_image() + i * w.y_row() + j * w.channels;
        loops<T>().max_pool(list, found, y + out, argmax ? argmax + out : nullptr, w.channels);
      });
    };
  });
}

template <typename T>
std::unique_ptr<Kernel> max_pool_bwd(const OpDesc& desc) {
  const Windows w(desc, desc.write("dx"), desc.read("dy"));
  return loop_kernel(desc, w.row_scratch<T>(), [=](const Operands& at) -> Launch {
    const T* dy = at.read<T>("dy");
    const std::uint8_t* argmax = at.read<std::uint8_t>("argmax");
    T* dx = at.write<T>("dx");
    float* scratch = reinterpret_cast<float*>(at.scratchpad());
    return [=](std::int64_t first, std::int64_t count) {
      w.gather(dx, scratch, first, count, [&](std::int64_t out, std::int64_t, std::int64_t, int tap, float* into) {
        loops<T>().max_pool_bwd(dy + out, argmax + out, tap, into, w.channels);
      });
    };
  });
}

template <typename T>
std::unique_ptr<Kernel> avg_pool(const OpDesc& desc) {
  const Windows w(desc, desc.read("x"), desc.write("y"));
  Requirements needs;
  needs.scratchpad = static_cast<std::size_t>(worker_threads() * w.channels) * sizeof(float);

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    const T* x = at.read<T>("x");
    T* y = at.write<T>("y");
    float* sums = reinterpret_cast<float*>(at.scratchpad());
    return [=](std::int64_t first, std::int64_t count) {
      w.each_output(first, count, [&](std::int64_t image, std::int64_t i, std::int64_t j) {
        float* const sum = sums + omp_get_thread_num() * w.channels;
        std::memset(sum, 0, static_cast<std::size_t>(w.channels) * sizeof(float));
        w.each_tap(i, j, [&](int, std::int64_t offset) {
          loops<T>().add_to(sum, x + image * w.x_image() + offset, sum, w.channels);
        });
        loops<T>().divide_total(sum, w.divisor(i, j), y + image * w.y_image() + i * w.y_row() + j * w.channels, w.channels);
      });
    };
  });
}

template <typename T>
std::unique_ptr<Kernel> avg_pool_bwd(const OpDesc& desc) {
  const Windows w(desc, desc.write("dx"), desc.read("dy"));
  return loop_kernel(desc, w.row_scratch<T>(), [=](const Operands& at) -> Launch {
    const T* dy = at.read<T>("dy");
    T* dx = at.write<T>("dx");
    float* scratch = reinterpret_cast<float*>(at.scratchpad());
    return [=](std::int64_t first, std::int64_t count) {
      w.gather(dx, scratch, first, count, [&](std::int64_t out, std::int64_t i, std::int64_t j, int, float* into) {
        loops<T>().add_divided(dy + out, w.divisor(i, j), into, w.channels);
      });
    };
  });
}

template <typename T>
std::unique_ptr<Kernel> global_avg_pool(const OpDesc& desc) {
  const Pieces pieces(desc.read("x"));
  ScratchLayout scratch;
  scratch.add_floats(pieces.period * worker_threads());
  Requirements needs;
  needs.scratchpad = scratch.bytes();

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    const T* x = at.read<T>("x");
    T* y = at.write<T>("y");
    float* lanes = reinterpret_cast<float*>(at.scratchpad());
    return [=](std::int64_t first, std::int64_t count) {
      parallel_for(count, count * pieces.image_elements(), [&](std::int64_t i, int thread) {
        float* const sums = lanes + thread * pieces.period;
        loops<T>().channel_sums(x + (first + i) * pieces.image_elements(), pieces.image_elements(), pieces.channels,
                                pieces.period, sums, sums);
        loops<T>().divide_total(sums, static_cast<float>(pieces.rows), y + (first + i) * pieces.channels, pieces.channels);
      });
    };
  });
}

template <typename T>
std::unique_ptr<Kernel> global_avg_pool_bwd(const OpDesc& desc) {
  const Pieces pieces(desc.write("dx"));
  return loop_kernel(desc, {}, [=](const Operands& at) -> Launch {
    const T* dy = at.read<T>("dy");
    T* dx = at.write<T>("dx");
    return [=](std::int64_t first, std::int64_t count) {
      parallel_for(count, count * pieces.image_elements(), [&](std::int64_t i, int) {
        T* const image = dx + (first + i) * pieces.image_elements();
        loops<T>().divide(dy + (first + i) * pieces.channels, static_cast<float>(pieces.rows), image, pieces.channels);
        for (std::int64_t row = 1; row < pieces.rows; ++row)
          std::memcpy(image + row * pieces.channels, image, static_cast<std::size_t>(pieces.channels) * sizeof(T));
      });
    };
  });
}

ERASERELU_TYPED_KERNEL(max_pool)
ERASERELU_TYPED_KERNEL(max_pool_bwd)
ERASERELU_TYPED_KERNEL(avg_pool)
ERASERELU_TYPED_KERNEL(avg_pool_bwd)
ERASERELU_TYPED_KERNEL(global_avg_pool)
ERASERELU_TYPED_KERNEL(global_avg_pool_bwd)

}  // namespace eraserelu::cpu
