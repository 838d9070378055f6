// What is known about a tensor before anything runs: its element type and its logical shape.
// Activations are [N,H,W,C], filters [K,R,S,C/G]; all tensors are dense and row-major in that order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace eraserelu {

enum class DType { f32, bf16, f16, i32, u8 };

std::size_t bytes_of(DType dtype);            // of one element
const char* name_of(DType dtype);             // "f32"
DType dtype_named(const std::string& name);   // throws InvalidArgument

using Shape = std::vector<std::int64_t>;

std::int64_t elements_of(const Shape& shape);   // product; 1 for an empty shape
std::string to_string(const Shape& shape);      // "[128,32,32,16]"

struct TensorDesc {
  DType dtype = DType::f32;
  Shape shape;
  bool present = true;           // false: an optional operand that was left out
  bool parameter = false;        // lives in the store and changes only between steps: kernels may keep a packed copy
  std::int64_t alignment = 64;   // bytes, a power of two: what its address is a multiple of

  std::int64_t elements() const { return elements_of(shape); }
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * bytes_of(dtype); }
  std::int64_t dim(std::size_t axis) const { return shape.at(axis); }
};

}  // namespace eraserelu
