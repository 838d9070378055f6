// The conversions here are those of CUDA's own headers, so that they check the stand-in's.
#include "tests/cudnn/device_tensor.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "tests/harness.h"

namespace frontend {
namespace {

constexpr unsigned char pattern = 0x5A;

std::int64_t bytes_of(Type type) { return type == Type::f32 ? 4 : type == Type::i8 ? 1 : 2; }

std::int64_t count_of(const Dims& dims) {
  std::int64_t count = 1;
  for (std::int64_t dim : dims) count *= dim;
  return count;
}

double decode(Type type, const unsigned char* bytes) {
  if (type == Type::i8) return static_cast<signed char>(*bytes);
  if (type == Type::f32) {
    float value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  if (type == Type::bf16) {
    __nv_bfloat16 value;
    std::memcpy(&value, bytes, sizeof value);
    return __bfloat162float(value);
  }
  __half value;
  std::memcpy(&value, bytes, sizeof value);
  return __half2float(value);
}

void encode(Type type, double value, unsigned char* bytes) {
  if (type == Type::i8) {
    *bytes = static_cast<unsigned char>(static_cast<signed char>(value));
  } else if (type == Type::f32) {
    const auto number = static_cast<float>(value);
    std::memcpy(bytes, &number, sizeof number);
  } else if (type == Type::bf16) {
    const __nv_bfloat16 number = __double2bfloat16(value);
    std::memcpy(bytes, &number, sizeof number);
  } else {
    const __half number = __double2half(value);
    std::memcpy(bytes, &number, sizeof number);
  }
}

void need_success(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
}

}  // namespace

Array::Array(Dims dims) : dims(std::move(dims)), values(static_cast<std::size_t>(count_of(this->dims))) {}

double& Array::at(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
  return values.at(static_cast<std::size_t>(((n * dims[2] + h) * dims[3] + w) * dims[1] + c));
}

double Array::at(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
  return const_cast<Array*>(this)->at(n, c, h, w);
}

Array drawn_from(const Dims& dims, unsigned seed, double low) {
  std::mt19937 random(seed);
  Array array(dims);
  for (double& value : array.values) value = low + static_cast<double>(random() % 33) / 8;
  return array;
}

Array drawn(const Dims& dims, unsigned seed) { return drawn_from(dims, seed, -2); }

double spacing_of(Type type) { return type == Type::bf16 ? 0x1p-7 : type == Type::f16 ? 0x1p-10 : 0x1p-23; }

DeviceTensor::DeviceTensor(const Dims& dims, Type type, std::int64_t pitch)
    : dims_(dims), type_(type), pitch_(pitch == 0 ? dims[1] : pitch) {
  const auto bytes = static_cast<std::size_t>(count_of(dims) / dims[1] * pitch_ * bytes_of(type));
  need_success(cudaMalloc(&memory_, bytes));
  need_success(cudaMemset(memory_, pattern, bytes));
}

DeviceTensor::DeviceTensor(const Array& array, Type type, std::int64_t pitch) : DeviceTensor(array.dims, type, pitch) {
  std::vector<unsigned char> bytes = read_back();
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    const auto pixel = static_cast<std::int64_t>(i) / dims_[1], channel = static_cast<std::int64_t>(i) % dims_[1];
    encode(type_, array.values[i], bytes.data() + (pixel * pitch_ + channel) * bytes_of(type_));
  }
  need_success(cudaMemcpy(memory_, bytes.data(), bytes.size(), cudaMemcpyHostToDevice));
}

std::vector<unsigned char> DeviceTensor::read_back() const {
  std::vector<unsigned char> bytes(static_cast<std::size_t>(count_of(dims_) / dims_[1] * pitch_ * bytes_of(type_)));
  need_success(cudaMemcpy(bytes.data(), memory_, bytes.size(), cudaMemcpyDeviceToHost));
  return bytes;
}

Array DeviceTensor::download() const {
  Array array(dims_);
  const std::vector<unsigned char> bytes = read_back();
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    const auto pixel = static_cast<std::int64_t>(i) / dims_[1], channel = static_cast<std::int64_t>(i) % dims_[1];
    array.values[i] = decode(type_, bytes.data() + (pixel * pitch_ + channel) * bytes_of(type_));
  }
  return array;
}

bool DeviceTensor::gaps_are_untouched() const {
  const std::vector<unsigned char> bytes = read_back();
  const auto pixel = static_cast<std::size_t>(pitch_ * bytes_of(type_)),
             used = static_cast<std::size_t>(dims_[1] * bytes_of(type_));
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (i % pixel >= used && bytes[i] != pattern) return false;
  return true;
}

void check_close(const char* file, int line, const Array& actual, const Array& expected, double tolerance) {
  if (actual.dims != expected.dims) harness::fail(file, line, "the shapes differ");
  int wrong = 0;
  std::ostringstream first;
  for (std::size_t i = 0; i < actual.values.size(); ++i) {
    const double a = actual.values[i], b = expected.values[i];
    if (std::fabs(a - b) <= tolerance * std::max(std::fabs(b), 0x1p-4) || (a != a && b != b)) continue;
    if (wrong++ == 0) first << "value " << i << " is " << a << ", not " << b;
  }
  if (wrong > 0)
    harness::fail(file, line,
                  first.str() + "; " + std::to_string(wrong) + " of " + std::to_string(actual.values.size()) + " are wrong");
}

}  // namespace frontend
