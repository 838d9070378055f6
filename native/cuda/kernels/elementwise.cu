// A thread takes one pack of 16-byte vectors; the first threads also take one element each of the tail. A thread reads before it
// writes and only its own elements, so the output may be the memory of an input of the same type.
#include "cuda/kernels/elementwise.h"

#include <cmath>
#include <type_traits>

#include "base/activation.h"
#include "cuda/kernel.h"
#include "cuda/kernels/element.h"
#include "cuda/kernels/flat.h"

namespace eraserelu::cuda {
namespace {

struct Relu {
  template <typename T>
  __device__ static T apply(T x) {
    return from_float<T>(eraserelu::relu(to_float(x)));
  }
};
struct ReluBwd {
  __device__ static float apply(float dy, float y) { return y > 0.0f ? dy : 0.0f; }
};
struct Add {
  __device__ static float apply(float a, float b) { return a + b; }
};

/// To integers: rounds half to even and saturates; NaN becomes 0.
struct Cast {
  template <typename Y, typename X>
  __device__ static Y apply(X x) {
    if constexpr (std::is_integral_v<X>) return from_integer<Y>(x);
    else if constexpr (std::is_integral_v<Y>) return to_integer<Y>(to_float(x));
    else return from_float<Y>(to_float(x));
  }

 private:
  template <typename Y>
  __device__ static Y from_integer(std::int32_t x) {
    if constexpr (std::is_same_v<Y, std::uint8_t>) return static_cast<Y>(x < 0 ? 0 : x > 255 ? 255 : x);
    else if constexpr (std::is_integral_v<Y>) return x;
    else return from_float<Y>(static_cast<float>(x));
  }

  template <typename Y>
  __device__ static Y to_integer(float x) {
    constexpr bool byte = std::is_same_v<Y, std::uint8_t>;
    constexpr Y lowest = byte ? 0 : static_cast<Y>(INT32_MIN), highest = byte ? 255 : static_cast<Y>(INT32_MAX);
    if (x != x) return 0;
    if (x <= static_cast<float>(lowest)) return lowest;
    return x >= static_cast<float>(highest) ? highest : static_cast<Y>(rintf(x));
  }
};

template <typename Function, typename X, typename Y>
__global__ void __launch_bounds__(blockSize) unary(const X* x, Y* y, std::int64_t packs, std::int64_t n) {
  constexpr int width = packWidth<X, Y>;
  const std::int64_t thread = thread_number();
  if (thread < packs) {
    const auto in = Pack<X, width>::load(x + thread * width);
    Pack<Y, width> out;
    for (int i = 0; i < width; ++i) out.values[i] = Function::template apply<Y>(in.values[i]);
    out.store(y + thread * width);
  }
  const std::int64_t tail = packs * width + thread;
  if (tail < n) y[tail] = Function::template apply<Y>(x[tail]);
}

template <typename Function, typename T>
__global__ void __launch_bounds__(blockSize) binary(const T* a, const T* b, T* y, std::int64_t packs, std::int64_t n) {
  constexpr int width = packWidth<T, T>;
  const std::int64_t thread = thread_number();
  if (thread < packs) {
    const auto left = Pack<T, width>::load(a + thread * width);
    const auto right = Pack<T, width>::load(b + thread * width);
    Pack<T, width> out;
    for (int i = 0; i < width; ++i)
      out.values[i] = from_float<T>(Function::apply(to_float(left.values[i]), to_float(right.values[i])));
    out.store(y + thread * width);
  }
  const std::int64_t tail = packs * width + thread;
  if (tail < n) y[tail] = from_float<T>(Function::apply(to_float(a[tail]), to_float(b[tail])));
}

template <typename T>
__global__ void __launch_bounds__(blockSize) fill_kernel(float value, T* y, std::int64_t packs, std::int64_t n) {
  constexpr int width = packWidth<T, T>;
  const std::int64_t thread = thread_number();
  if (thread < packs) {
    Pack<T, width> out;
    for (int i = 0; i < width; ++i) out.values[i] = from_float<T>(value);
    out.store(y + thread * width);
  }
  const std::int64_t tail = packs * width + thread;
  if (tail < n) y[tail] = from_float<T>(value);
}

/// Without `step` it always adds.
template <typename X>
__global__ void __launch_bounds__(blockSize)
    sum_kernel(const StepParams* step, const X* x, float* total, std::int64_t packs, std::int64_t n) {
  constexpr int width = packWidth<X, float>;
  const bool fresh = step && step->micro == 0;
  const std::int64_t thread = thread_number();
  if (thread < packs) {
    const auto in = Pack<X, width>::load(x + thread * width);
    Pack<float, width> out{};
    if (!fresh) out = Pack<float, width>::load(total + thread * width);
    for (int i = 0; i < width; ++i) out.values[i] = fresh ? to_float(in.values[i]) : out.values[i] + to_float(in.values[i]);
    out.store(total + thread * width);
  }
  const std::int64_t tail = packs * width + thread;
  if (tail < n) total[tail] = fresh ? to_float(x[tail]) : total[tail] + to_float(x[tail]);
}

/// Calls body(Type<T>{}) for the T of any dtype.
template <typename Body>
auto with_any_type(DType dtype, const Body& body) {
  if (dtype == DType::i32) return body(Type<std::int32_t>{});
  if (dtype == DType::u8) return body(Type<std::uint8_t>{});
  return with_type(dtype, body);
}

template <typename Function, typename X, typename Y>
cudaError_t launch_unary(const void* x, void* y, std::int64_t n, cudaStream_t stream) {
  if (n == 0) return cudaSuccess;
  const Division division(n, packWidth<X, Y>, x, y);
  return launch(unary<Function, X, Y>, division.grid, dim3(blockSize), 0, stream, static_cast<const X*>(x), static_cast<Y*>(y),
                division.packs, n);
}

template <typename Function>
cudaError_t launch_binary(DType dtype, const void* a, const void* b, void* y, std::int64_t n, cudaStream_t stream) {
  if (n == 0) return cudaSuccess;
  return with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Division division(n, packWidth<T, T>, a, b, y);
    return launch(binary<Function, T>, division.grid, dim3(blockSize), 0, stream, static_cast<const T*>(a),
                  static_cast<const T*>(b), static_cast<T*>(y), division.packs, n);
  });
}

}  // namespace

cudaError_t relu(DType dtype, const void* x, void* y, std::int64_t n, cudaStream_t stream) {
  return with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    return launch_unary<Relu, T, T>(x, y, n, stream);
  });
}

cudaError_t relu_bwd(DType dtype, const void* dy, const void* y, void* dx, std::int64_t n, cudaStream_t stream) {
  return launch_binary<ReluBwd>(dtype, dy, y, dx, n, stream);
}

cudaError_t add(DType dtype, const void* a, const void* b, void* y, std::int64_t n, cudaStream_t stream) {
  return launch_binary<Add>(dtype, a, b, y, n, stream);
}

cudaError_t fill(DType dtype, float value, void* y, std::int64_t n, cudaStream_t stream) {
  if (n == 0) return cudaSuccess;
  return with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Division division(n, packWidth<T, T>, y);
    return launch(fill_kernel<T>, division.grid, dim3(blockSize), 0, stream, value, static_cast<T*>(y), division.packs, n);
  });
}

cudaError_t cast(DType from, const void* x, DType to, void* y, std::int64_t n, cudaStream_t stream) {
  return with_any_type(from, [&](auto from_type) {
    return with_any_type(to, [&](auto to_type) {
      return launch_unary<Cast, typename decltype(from_type)::type, typename decltype(to_type)::type>(x, y, n, stream);
    });
  });
}

cudaError_t sum(DType dtype, const StepParams* step, const void* x, float* total, std::int64_t n, cudaStream_t stream) {
  if (n == 0) return cudaSuccess;
  return with_type(dtype, [&](auto type) {
    using X = typename decltype(type)::type;
    const Division division(n, packWidth<X, float>, x, total);
    return launch(sum_kernel<X>, division.grid, dim3(blockSize), 0, stream, step, static_cast<const X*>(x), total, division.packs,
                  n);
  });
}

cudaError_t accumulate(DType dtype, const void* x, float* total, std::int64_t n, cudaStream_t stream) {
  return sum(dtype, nullptr, x, total, n, stream);
}

}  // namespace eraserelu::cuda
