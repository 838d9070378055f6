// Operations that only move elements: the parameter-free shortcut, concat and slice.
#include <algorithm>
#include <cstring>

#include "backend/kernel_base.h"
#include "onednn/kernels.h"
#include "onednn/parallel.h"

namespace eraserelu::cpu {

namespace {

template <typename T>
void copy(const T* from, T* to, std::int64_t n) {
  std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
}

constexpr std::int64_t kRowsAhead = 16;   // fetched before they are copied: rows that do not lie together are not foreseen

template <typename T>
void zero(T* to, std::int64_t n) {
  std::memset(static_cast<void*>(to), 0, static_cast<std::size_t>(n) * sizeof(T));
}

/// Where the pixels of the small image lie in the large one.
struct Shortcut {
  std::int64_t height, width, channels, outHeight, outWidth, outChannels, strideHeight, strideWidth;

  Shortcut(const OpDesc& desc, const TensorDesc& x, const TensorDesc& y)
      : height(x.dim(1)), width(x.dim(2)), channels(x.dim(3)), outHeight(y.dim(1)), outWidth(y.dim(2)), outChannels(y.dim(3)),
        strideHeight(desc.attributes.integers("stride")[0]), strideWidth(desc.attributes.integers("stride")[1]) {}

  std::int64_t x_row() const { return width * channels; }
  std::int64_t y_row() const { return outWidth * outChannels; }
};

/// A part of a tensor as runs of consecutive elements. The last dimensions that the part takes in full are one run.
struct Runs {
  std::int64_t length = 1, count;
  Shape outer, strides;   // of the part's dimensions before the run, and their strides in the whole
  std::int64_t origin = 0;

  Runs(const Shape& whole, const Shape& part, const Shape& begin) {
    std::size_t inner = whole.size();
    std::int64_t stride = 1;
    for (std::size_t i = whole.size(); i-- > 0; stride *= whole[i]) {
      origin += begin[i] * stride;
      if (inner == i + 1 && (i + 1 == whole.size() || part[i + 1] == whole[i + 1])) {
        inner = i;
        length *= part[i];
      } else {
        outer.insert(outer.begin(), part[i]);
        strides.insert(strides.begin(), stride);
      }
    }
    count = elements_of(outer);
  }

  /// From one run to the next of the same last dimension.
  std::int64_t distance() const { return outer.empty() ? 0 : strides.back(); }

  /// Calls body(run, where it lies in the whole) for the runs [begin, end).
  template <typename Body>
  void each(std::int64_t begin, std::int64_t end, const Body& body) const {
    const std::int64_t inner = outer.empty() ? 1 : outer.back(), step = distance();
    while (begin < end) {
      const std::int64_t stop = std::min(end, begin - begin % inner + inner);
      for (std::int64_t at = offset(begin); begin < stop; ++begin, at += step) body(begin, at);
    }
  }

 private:
  std::int64_t offset(std::int64_t run) const {
    std::int64_t result = origin;
    for (std::size_t i = outer.size(); i-- > 0; run /= outer[i]) result += run % outer[i] * strides[i];
    return result;
  }
};

}  // namespace

template <typename T>
std::unique_ptr<Kernel> shortcut_a(const OpDesc& desc) {
  const Shortcut s(desc, desc.read("x"), desc.write("y"));
  return loop_kernel(desc, {}, [=](const Operands& at) -> Launch {
    const T* x = at.read<T>("x");
    T* y = at.write<T>("y");
    return [=](std::int64_t first, std::int64_t count) {
      parallel_for(count * s.outHeight, count * s.outHeight * s.y_row(), [&](std::int64_t i, int) {
        const std::int64_t image = first + i / s.outHeight, row = i % s.outHeight;
        const T* from = x + (image * s.height + row * s.strideHeight) * s.x_row();
        T* to = y + (image * s.outHeight + row) * s.y_row();
        for (std::int64_t j = 0; j < s.outWidth; ++j, from += s.strideWidth * s.channels, to += s.outChannels) {
          copy(from, to, s.channels);
          zero(to + s.channels, s.outChannels - s.channels);
        }
      });
    };
  });
}

template <typename T>
std::unique_ptr<Kernel> shortcut_a_bwd(const OpDesc& desc) {
  const Shortcut s(desc, desc.write("dx"), desc.read("dy"));
  return loop_kernel(desc, {}, [=](const Operands& at) -> Launch {
    const T* dy = at.read<T>("dy");
    T* dx = at.write<T>("dx");
    return [=](std::int64_t first, std::int64_t count) {
      parallel_for(count * s.height, count * s.height * s.x_row(), [&](std::int64_t i, int) {
        const std::int64_t image = first + i / s.height, row = i % s.height;
        T* to = dx + (image * s.height + row) * s.x_row();
        zero(to, s.x_row());
        if (row % s.strideHeight != 0) return;
        const T* from = dy + (image * s.outHeight + row / s.strideHeight) * s.y_row();
        for (std::int64_t j = 0; j < s.outWidth; ++j)
          copy(from + j * s.outChannels, to + j * s.strideWidth * s.channels, s.channels);
      });
    };
  });
}

template <typename T>
std::unique_ptr<Kernel> concat(const OpDesc& desc) {
  const std::size_t axis = static_cast<std::size_t>(desc.attributes.integer("axis"));
  std::vector<std::int64_t> runs, steps;   // elements of each input for one index before the axis, and from it to the next
  std::int64_t outer = 1, total = 0;
  for (const TensorDesc& input : desc.reads) {
    runs.push_back(elements_of(Shape(input.shape.begin() + static_cast<std::ptrdiff_t>(axis), input.shape.end())));
    steps.push_back(input.pitched() ? input.pitch : runs.back());
    outer = input.elements() / runs.back();
    total += runs.back();
  }
  const std::int64_t yStep = desc.write("y").pitched() ? desc.write("y").pitch : total;
  return loop_kernel(desc, {}, [=](const Operands& at) -> Launch {
    std::vector<const T*> inputs;
    for (std::size_t i = 0; i < runs.size(); ++i) inputs.push_back(at.read_at<T>(i));
    T* y = at.write<T>("y");
    return [=](std::int64_t, std::int64_t) {
      parallel_ranges(outer, total, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t o = begin; o < end; ++o) {
          T* to = y + o * yStep;
          if (yStep > total) __builtin_prefetch(to + kRowsAhead * yStep, 1);
          for (std::size_t i = 0; i < runs.size(); to += runs[i++]) copy(inputs[i] + o * steps[i], to, runs[i]);
        }
      });
    };
  });
}

template <typename T>
std::unique_ptr<Kernel> slice(const OpDesc& desc) {
  const Runs runs(desc.read("x").shape_in_memory(), desc.write("y").shape, desc.attributes.integers("begin"));
  return loop_kernel(desc, {}, [=](const Operands& at) -> Launch {
    const T* x = at.read<T>("x");
    T* y = at.write<T>("y");
    return [=](std::int64_t, std::int64_t) {
      parallel_ranges(runs.count, runs.length, [&](std::int64_t begin, std::int64_t end) {
        runs.each(begin, end, [&](std::int64_t i, std::int64_t at) {
          __builtin_prefetch(x + at + kRowsAhead * runs.distance());
          copy(x + at, y + i * runs.length, runs.length);
        });
      });
    };
  });
}

template <typename T>
std::unique_ptr<Kernel> slice_bwd(const OpDesc& desc) {
  const Runs runs(desc.write("dx").shape, desc.read("dy").shape, desc.attributes.integers("begin"));
  const std::int64_t elements = desc.write("dx").elements();
  return loop_kernel(desc, {}, [=](const Operands& at) -> Launch {
    const T* dy = at.read<T>("dy");
    T* dx = at.write<T>("dx");
    return [=](std::int64_t, std::int64_t) {
      parallel_ranges(elements, 1, [&](std::int64_t begin, std::int64_t end) { zero(dx + begin, end - begin); });
      parallel_ranges(runs.count, runs.length, [&](std::int64_t begin, std::int64_t end) {
        runs.each(begin, end, [&](std::int64_t i, std::int64_t at) { copy(dy + i * runs.length, dx + at, runs.length); });
      });
    };
  });
}

ERASERELU_TYPED_KERNEL(shortcut_a)
ERASERELU_TYPED_KERNEL(shortcut_a_bwd)
ERASERELU_TYPED_KERNEL(concat)
ERASERELU_TYPED_KERNEL(slice)
ERASERELU_TYPED_KERNEL(slice_bwd)

}  // namespace eraserelu::cpu
