// The elementwise kernels of the backend, against plain loops: whole packs, tails, and addresses that are no multiple of 16.
#include "cuda/kernels/elementwise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cuda/kernels/element.h"
#include "kernels.h"

using namespace eraserelu;
using cuda::with_type;

namespace {

constexpr DType dtypes[] = {DType::f32, DType::bf16, DType::f16};
constexpr std::int64_t counts[] = {1, 7, 8, 256, 2049, 5003};

/// Values that every type represents exactly; some are NaN, zero, infinite.
float value_at(std::int64_t i) {
  if (i % 97 == 5) return std::numeric_limits<float>::quiet_NaN();
  if (i % 97 == 6) return std::numeric_limits<float>::infinity();
  return static_cast<float>(i * 7 % 61 - 30) / 4;
}

float as_stored(DType dtype, float value) {
  return with_type(dtype,
                   [&](auto type) { return cuda::to_float(cuda::from_float<typename decltype(type)::type>(value)); });
}

/// A tensor of n elements that begins `offset` elements behind an address with every alignment.
struct Tensor {
  Tensor(DType dtype, std::int64_t n, int offset) : dtype(dtype), n(n) {
    const std::size_t size = dtype == DType::f32 ? 4 : 2;
    void* memory;
    CUDA(cudaMalloc(&memory, size * static_cast<std::size_t>(n + offset)));
    data = static_cast<char*>(memory) + size * static_cast<std::size_t>(offset);
  }

  template <typename Value>
  Tensor& set(const Value& value) {
    with_type(dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      std::vector<T> host;
      for (std::int64_t i = 0; i < n; ++i) host.push_back(cuda::from_float<T>(value(i)));
      CUDA(cudaMemcpy(data, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
      return 0;
    });
    return *this;
  }

  template <typename Value>
  void check(const Value& value) const {
    with_type(dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      std::vector<T> host(static_cast<std::size_t>(n));
      CUDA(cudaMemcpy(host.data(), data, host.size() * sizeof(T), cudaMemcpyDeviceToHost));
      for (std::int64_t i = 0; i < n; ++i) {
        const float actual = cuda::to_float(host[static_cast<std::size_t>(i)]);
        const float expected = as_stored(dtype, value(i));
        if (actual != expected && !(std::isnan(actual) && std::isnan(expected))) CHECK_EQUAL(actual, expected);
      }
      return 0;
    });
  }

  DType dtype;
  std::int64_t n;
  void* data;
};

template <typename Body>
void for_each_tensor(const Body& body) {
  for (const DType dtype : dtypes)
    for (const std::int64_t n : counts)
      for (const int offset : {0, 1}) body(dtype, n, offset);
}

}  // namespace

TEST(relu_is_exact) {
  for_each_tensor([](DType dtype, std::int64_t n, int offset) {
    Tensor x(dtype, n, offset), y(dtype, n, 0);
    CUDA(cuda::relu(dtype, x.set(value_at).data, y.data, n, nullptr));
    y.check([](std::int64_t i) { return value_at(i) < 0 ? 0.0f : value_at(i); });
  });
}

TEST(relu_bwd_is_exact) {
  for_each_tensor([](DType dtype, std::int64_t n, int offset) {
    const auto gradient = [](std::int64_t i) { return value_at(i + 11); };
    Tensor dy(dtype, n, offset), y(dtype, n, 0), dx(dtype, n, 0);
    CUDA(cuda::relu_bwd(dtype, dy.set(gradient).data, y.set(value_at).data, dx.data, n, nullptr));
    dx.check([&](std::int64_t i) { return value_at(i) > 0 ? gradient(i) : 0.0f; });
  });
}

TEST(add_rounds_once) {
  for_each_tensor([](DType dtype, std::int64_t n, int offset) {
    const auto addend = [](std::int64_t i) { return static_cast<float>(i % 5) * 1024.0f; };
    Tensor a(dtype, n, 0), b(dtype, n, offset), y(dtype, n, 0);
    CUDA(cuda::add(dtype, a.set(value_at).data, b.set(addend).data, y.data, n, nullptr));
    y.check([&](std::int64_t i) { return value_at(i) + addend(i); });
  });
}

TEST(add_works_in_place) {
  Tensor a(DType::bf16, 1000, 0);
  a.set([](std::int64_t i) { return static_cast<float>(i % 9); });
  CUDA(cuda::add(DType::bf16, a.data, a.data, a.data, 1000, nullptr));
  a.check([](std::int64_t i) { return static_cast<float>(i % 9) * 2; });
}

TEST(fill_writes_every_element) {
  for_each_tensor([](DType dtype, std::int64_t n, int offset) {
    Tensor y(dtype, n, offset);
    CUDA(cuda::fill(dtype, 1.1f, y.data, n, nullptr));
    y.check([](std::int64_t) { return 1.1f; });
  });
}

TEST(cast_rounds_to_nearest_even) {
  for_each_tensor([](DType from, std::int64_t n, int offset) {
    for (const DType to : dtypes) {
      const auto value = [](std::int64_t i) { return value_at(i) * 1.003f; };
      Tensor x(from, n, offset), y(to, n, 0);
      CUDA(cuda::cast(from, x.set(value).data, to, y.data, n, nullptr));
      y.check([&](std::int64_t i) { return as_stored(from, value(i)); });
    }
  });
}

TEST(cast_to_integers_rounds_half_to_even_and_saturates) {
  const float values[] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 254.5f, 255.4f, 300, -7,
                          3e9f, -3e9f, NAN, INFINITY, -INFINITY, 100.25f, 8, 9};
  const std::uint8_t bytes[] = {0, 2, 2, 0, 0, 254, 255, 255, 0, 255, 0, 0, 255, 0, 100, 8, 9};
  const std::int32_t integers[] = {0, 2, 2, 0, -2, 254, 255, 300, -7, INT32_MAX, INT32_MIN, 0, INT32_MAX, INT32_MIN, 100, 8, 9};
  constexpr std::int64_t n = 17;
  const Tensor x(DType::f32, n, 0), y(DType::f32, n, 0);
  CUDA(cudaMemcpy(x.data, values, sizeof values, cudaMemcpyHostToDevice));
  std::uint8_t gotBytes[n];
  std::int32_t gotIntegers[n];
  float gotFloats[n];
  CUDA(cuda::cast(DType::f32, x.data, DType::u8, y.data, n, nullptr));
  CUDA(cudaMemcpy(gotBytes, y.data, sizeof gotBytes, cudaMemcpyDeviceToHost));
  CUDA(cuda::cast(DType::f32, x.data, DType::i32, y.data, n, nullptr));
  CUDA(cudaMemcpy(gotIntegers, y.data, sizeof gotIntegers, cudaMemcpyDeviceToHost));
  CUDA(cuda::cast(DType::i32, y.data, DType::f32, x.data, n, nullptr));
  CUDA(cudaMemcpy(gotFloats, x.data, sizeof gotFloats, cudaMemcpyDeviceToHost));
  for (int i = 0; i < n; ++i) {
    CHECK_EQUAL(int{gotBytes[i]}, int{bytes[i]});
    CHECK_EQUAL(gotIntegers[i], integers[i]);
    CHECK_EQUAL(gotFloats[i], static_cast<float>(integers[i]));
  }
  CUDA(cuda::cast(DType::i32, y.data, DType::u8, x.data, n, nullptr));
  CUDA(cudaMemcpy(gotBytes, x.data, sizeof gotBytes, cudaMemcpyDeviceToHost));
  for (int i = 0; i < n; ++i) CHECK_EQUAL(int{gotBytes[i]}, std::clamp(integers[i], 0, 255));
}

TEST(sum_starts_afresh_in_the_first_microbatch) {
  for_each_tensor([](DType dtype, std::int64_t n, int offset) {
    const auto before = [](std::int64_t i) { return static_cast<float>(i % 13); };
    for (const int micro : {0, 1}) {
      StepParams step;
      step.micro = micro;
      void* device;
      CUDA(cudaMalloc(&device, sizeof step));
      CUDA(cudaMemcpy(device, &step, sizeof step, cudaMemcpyHostToDevice));
      Tensor x(dtype, n, offset), total(DType::f32, n, 0);
      x.set(value_at), total.set(before);
      CUDA(cuda::sum(dtype, static_cast<StepParams*>(device), x.data, static_cast<float*>(total.data), n, nullptr));
      total.check([&](std::int64_t i) { return micro == 0 ? value_at(i) : before(i) + value_at(i); });
    }
  });
}

TEST(empty_tensors_launch_nothing) {
  CUDA(cuda::relu(DType::f32, nullptr, nullptr, 0, nullptr));
  CUDA(cuda::add(DType::f32, nullptr, nullptr, nullptr, 0, nullptr));
  CUDA(cuda::fill(DType::f32, 1, nullptr, 0, nullptr));
}

TEST(other_types_are_refused) {
  try {
    cuda::fill(DType::u8, 1, nullptr, 1, nullptr);
    CHECK(false);
  } catch (const Error& error) {
    CHECK_EQUAL(std::string(error.what()), "no kernel for tensors of type u8");
  }
}
