// Device tensors for the tests of layers, and the numbers in them.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "cuda/kernels/element.h"
#include "tests/runtime/cuda.h"

using namespace eraserelu;

using Values = std::vector<float>;

constexpr DType dtypes[] = {DType::f32, DType::bf16, DType::f16};

/// Numbers in [-2, 2) that no type rounds; other ones for every call.
inline Values draw(std::int64_t n) {
  static std::uint32_t state = 1;
  Values values(static_cast<std::size_t>(n));
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 25) / 32 - 2;
  }
  return values;
}

/// How far a result may be off, in units of its size or of 1: one rounding to the type and some of f32.
inline double tolerance_of(DType dtype) { return dtype == DType::f32 ? 2e-6 : dtype == DType::bf16 ? 4e-3 : 5e-4; }

class DeviceTensor {
 public:
  /// Not written yet.
  DeviceTensor(DType dtype, std::int64_t n) : dtype_(dtype), n_(n) {
    CUDA(cudaMalloc(&memory_, bytes_of(dtype) * static_cast<std::size_t>(n)));
  }
  DeviceTensor(DType dtype, const Values& values) : DeviceTensor(dtype, static_cast<std::int64_t>(values.size())) {
    if (dtype == DType::u8) {
      upload(std::vector<std::uint8_t>(values.begin(), values.end()));
    } else {
      cuda::with_type(dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        std::vector<T> host;
        for (const float value : values) host.push_back(cuda::from_float<T>(value));
        upload(host);
      });
    }
  }
  DeviceTensor(const DeviceTensor&) = delete;
  ~DeviceTensor() { CUDA(cudaFree(memory_)); }
  explicit DeviceTensor(const Values& values) : DeviceTensor(DType::f32, values) {}

  template <typename T = void>
  T* data() const {
    return static_cast<T*>(memory_);
  }
  operator void*() const { return memory_; }
  operator float*() const { return data<float>(); }
  operator std::uint8_t*() const { return data<std::uint8_t>(); }

  Values values() const {
    Values result;
    if (dtype_ == DType::u8) {
      for (const std::uint8_t value : download<std::uint8_t>()) result.push_back(value);
    } else {
      cuda::with_type(dtype_, [&](auto type) {
        for (const auto value : download<typename decltype(type)::type>()) result.push_back(cuda::to_float(value));
      });
    }
    return result;
  }

 private:
  template <typename T>
  void upload(const std::vector<T>& host) {
    CUDA(cudaMemcpy(memory_, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
  }
  template <typename T>
  std::vector<T> download() const {
    std::vector<T> host(static_cast<std::size_t>(n_));
    CUDA(cudaMemcpy(host.data(), memory_, host.size() * sizeof(T), cudaMemcpyDeviceToHost));
    return host;
  }

  DType dtype_;
  std::int64_t n_;
  void* memory_;
};

/// Fails the case unless every number is that of the plain loop, `expected(i)`, up to `tolerance` times its size or 1.
template <typename Expected>
void check_values(const char* what, const Values& actual, double tolerance, const Expected& expected) {
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double wanted = expected(static_cast<std::int64_t>(i)), got = actual[i];
    if (std::isnan(wanted) && std::isnan(got)) continue;
    if (std::abs(got - wanted) <= tolerance * std::max(1.0, std::abs(wanted))) continue;
    std::ostringstream message;
    message << what << ": element " << i << " of " << actual.size() << " is " << got << ", not " << wanted;
    harness::fail(__FILE__, __LINE__, message.str());
  }
}

/// The mask (base/mask.h) of values [rows, C] that are 0 where an element is not active.
inline Values mask_bits(const Values& active, std::int64_t channels) {
  Values bytes;
  for (std::size_t e = 0; e < active.size(); ++e) {
    const int bit = static_cast<int>(static_cast<std::int64_t>(e) % channels % 8);
    if (bit == 0) bytes.push_back(0);
    if (active[e] != 0) bytes.back() += static_cast<float>(1 << bit);
  }
  return bytes;
}

/// Calls launch(first, count) for the images of a batch, `chunk` at a time.
template <typename Launch>
void in_chunks(std::int64_t batch, std::int64_t chunk, const Launch& launch) {
  for (std::int64_t first = 0; first < batch; first += chunk) CUDA(launch(first, std::min(chunk, batch - first)));
}
