// Operations that treat every element alone and have operands of one shape.
#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/kernel_base.h"
#include "base/float16.h"
#include "onednn/kernels.h"
#include "onednn/parallel.h"
#include "onednn/simd/loops.h"

namespace eraserelu::cpu {

namespace {

/// A launch that calls body(offset, elements) on stretches of the images.
template <typename Body>
Launch over_images(std::int64_t imageElements, Body body) {
  return [=](std::int64_t first, std::int64_t count) {
    parallel_ranges(count * imageElements, 1, [&](std::int64_t begin, std::int64_t end) {
      body(first * imageElements + begin, end - begin);
    });
  };
}

/// The same for operations that are always launched whole.
template <typename Body>
Launch over_all(std::int64_t elements, Body body) {
  return [=](std::int64_t, std::int64_t) {
    parallel_ranges(elements, 1, [&](std::int64_t begin, std::int64_t end) { body(begin, end - begin); });
  };
}

std::int64_t image_elements(const TensorDesc& tensor) { return tensor.elements() / tensor.dim(0); }

Requirements in_place(std::vector<std::pair<int, int>> pairs) {
  Requirements needs;
  needs.inPlace = std::move(pairs);
  return needs;
}

}  // namespace

template <typename T>
std::unique_ptr<Kernel> relu(const OpDesc& desc) {
  const std::int64_t image = image_elements(desc.read("x"));
  return loop_kernel(desc, in_place({{0, 0}}), [=](const Operands& at) {
    return over_images(image, [x = at.read<T>("x"), y = at.write<T>("y")](std::int64_t i, std::int64_t n) {
      loops<T>().relu(x + i, y + i, n);
    });
  });
}

template <typename T>
std::unique_ptr<Kernel> relu_bwd(const OpDesc& desc) {
  const std::int64_t image = image_elements(desc.read("dy"));
  return loop_kernel(desc, in_place({{0, 0}, {1, 0}}), [=](const Operands& at) {
    return over_images(image, [dy = at.read<T>("dy"), y = at.read<T>("y"), dx = at.write<T>("dx")](std::int64_t i, std::int64_t n) {
      loops<T>().relu_bwd(dy + i, y + i, dx + i, n);
    });
  });
}

namespace {

/// Pixel by pixel.
template <typename T>
std::unique_ptr<Kernel> pitched_add(const OpDesc& desc) {
  const TensorDesc& sum = desc.write("y");
  const std::int64_t images = sum.dim(0), channels = sum.shape.back(), pixels = sum.elements() / channels;
  const std::int64_t aPitch = desc.read("a").pixel_pitch(), bPitch = desc.read("b").pixel_pitch(), yPitch = sum.pixel_pitch();
  return loop_kernel(desc, in_place({{0, 0}, {1, 0}}), [=](const Operands& at) -> Launch {
    const T *a = at.read<T>("a"), *b = at.read<T>("b");
    T* y = at.write<T>("y");
    return [=](std::int64_t first, std::int64_t count) {
      const std::int64_t from = first * pixels / images;
      parallel_ranges((first + count) * pixels / images - from, channels, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = from + begin; i < from + end; ++i)
          loops<T>().add(a + i * aPitch, b + i * bPitch, y + i * yPitch, channels);
      });
    };
  });
}

}  // namespace

template <typename T>
std::unique_ptr<Kernel> add(const OpDesc& desc) {
  if (desc.read("a").pitched() || desc.read("b").pitched() || desc.write("y").pitched()) return pitched_add<T>(desc);
  const std::int64_t image = image_elements(desc.read("a"));
  return loop_kernel(desc, in_place({{0, 0}, {1, 0}}), [=](const Operands& at) {
    return over_images(image, [a = at.read<T>("a"), b = at.read<T>("b"), y = at.write<T>("y")](std::int64_t i, std::int64_t n) {
      loops<T>().add(a + i, b + i, y + i, n);
    });
  });
}

/// dropout and dropoutBwd: both drop and scale the same elements.
template <typename T>
std::unique_ptr<Kernel> dropout(const OpDesc& desc) {
  const std::int64_t elements = desc.reads[0].elements(), image = image_elements(desc.reads[0]);
  const double p = desc.attributes.number("p");
  const auto opId = static_cast<std::uint32_t>(desc.attributes.integer("opId"));
  return loop_kernel(desc, in_place({{0, 0}}), [=](const Operands& at) {
    const T* x = at.read_at<T>(0);
    T* y = at.write<T>(desc.is("dropout") ? "y" : "dx");
    const StepParams* step = at.step();
    return over_images(image, [=](std::int64_t i, std::int64_t n) {
      loops<T>().dropout(x + i, y + i, n, static_cast<float>(p), static_cast<float>(1 - p), step->seed, step->step, opId,
                      static_cast<std::uint64_t>(step->micro * elements + i));
    });
  });
}

template <typename T>
std::unique_ptr<Kernel> scale_samples(const OpDesc& desc) {
  const std::int64_t image = image_elements(desc.read("x"));
  return loop_kernel(desc, in_place({{0, 0}}), [=](const Operands& at) -> Launch {
    const T* x = at.read<T>("x");
    const float* scale = at.read("scale");
    T* y = at.write<T>("y");
    return [=](std::int64_t first, std::int64_t count) {
      parallel_for(count, count * image, [&](std::int64_t i, int) {
        loops<T>().scale(x + (first + i) * image, scale[first + i], y + (first + i) * image, image);
      });
    };
  });
}

namespace {

/// To integers: rounds half to even and saturates; NaN becomes 0.
template <typename To>
To converted(double value) {
  if constexpr (std::is_same_v<To, float>) {
    return static_cast<float>(value);
  } else if constexpr (std::is_same_v<To, Bf16>) {
    return Bf16::of_code(encode_float16(kBf16, value));
  } else {
    if (std::isnan(value)) return 0;
    return static_cast<To>(std::nearbyint(std::clamp<double>(value, std::numeric_limits<To>::lowest(),
                                                             std::numeric_limits<To>::max())));
  }
}

template <typename From, typename To>
std::unique_ptr<Kernel> cast_as(const OpDesc& desc) {
  const std::int64_t elements = desc.read("x").elements();
  return loop_kernel(desc, {}, [=](const Operands& at) {
    return over_all(elements, [x = at.read<From>("x"), y = at.write<To>("y")](std::int64_t i, std::int64_t n) {
      if constexpr (std::is_same_v<From, float> && std::is_same_v<To, Bf16>) loops<Bf16>().narrow(x + i, y + i, n);
      else if constexpr (std::is_same_v<From, Bf16> && std::is_same_v<To, float>) loops<Bf16>().widen(x + i, y + i, n);
      else for (std::int64_t j = i; j < i + n; ++j) y[j] = converted<To>(static_cast<double>(x[j]));
    });
  });
}

template <typename From>
std::unique_ptr<Kernel> cast_from(const OpDesc& desc) {
  const DType to = desc.write("y").dtype;
  return to == DType::u8 ? cast_as<From, std::uint8_t>(desc)
         : to == DType::i32 ? cast_as<From, std::int32_t>(desc)
         : to == DType::bf16 ? cast_as<From, Bf16>(desc)
                             : cast_as<From, float>(desc);
}

}  // namespace

std::unique_ptr<Kernel> cast(const OpDesc& desc) {
  const DType from = desc.read("x").dtype;
  return from == DType::u8 ? cast_from<std::uint8_t>(desc)
         : from == DType::i32 ? cast_from<std::int32_t>(desc)
         : from == DType::bf16 ? cast_from<Bf16>(desc)
                               : cast_from<float>(desc);
}

template <typename T>
std::unique_ptr<Kernel> fill(const OpDesc& desc) {
  const std::int64_t elements = desc.write("y").elements();
  const float value = static_cast<float>(desc.attributes.number("value"));
  return loop_kernel(desc, {}, [=](const Operands& at) {
    return over_all(elements, [=, y = at.write<T>("y")](std::int64_t i, std::int64_t n) { std::fill_n(y + i, n, T(value)); });
  });
}

/// Adds up the microbatches of one step.
template <typename T>
std::unique_ptr<Kernel> sum(const OpDesc& desc) {
  const std::int64_t elements = desc.read("x").elements();
  return loop_kernel(desc, {}, [=](const Operands& at) {
    const T* x = at.read<T>("x");
    float* total = at.write("total");
    const StepParams* step = at.step();
    return over_all(elements, [=](std::int64_t i, std::int64_t n) {
      if (step->micro == 0) loops<T>().widen(x + i, total + i, n);
      else loops<T>().add_to(total + i, x + i, total + i, n);
    });
  });
}

ERASERELU_TYPED_KERNEL(relu)
ERASERELU_TYPED_KERNEL(relu_bwd)
ERASERELU_TYPED_KERNEL(add)
ERASERELU_TYPED_KERNEL(dropout)
ERASERELU_TYPED_KERNEL(scale_samples)
ERASERELU_TYPED_KERNEL(fill)
ERASERELU_TYPED_KERNEL(sum)

}  // namespace eraserelu::cpu
