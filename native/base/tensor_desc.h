// What is known about a tensor before anything runs: its element type and its logical shape.
// Activations are [N,H,W,C], filters [K,R,S,C/G]; all tensors are row-major in that order, and dense but for a pixel pitch: an
// activation may be the first or other channels of a wider tensor.
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
  bool parameter = false;        // lives in the store and changes seldom: kernels may keep a packed copy
  std::int64_t alignment = 64;   // bytes, a power of two: what its address is a multiple of
  std::int64_t pitch = 0;        // elements from a pixel to the next where they are more than its channels; 0: dense

  std::int64_t elements() const { return elements_of(shape); }
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * bytes_of(dtype); }
  std::int64_t dim(std::size_t axis) const { return shape.at(axis); }

  bool pitched() const { return pitch != 0; }
  /// Elements from a pixel to the next.
  std::int64_t pixel_pitch() const { return pitched() ? pitch : shape.back(); }
  /// The shape with the channels that a pixel has in memory: of a tensor [N,H,W,C] that is a part of one [N,H,W,pitch], the latter.
  Shape shape_in_memory() const;
  /// Where in memory an element is, counted in elements from the first.
  std::int64_t position(std::int64_t element) const {
    return pitched() ? element / shape.back() * pitch + element % shape.back() : element;
  }
  /// From its first byte to behind its last.
  std::size_t extent() const;
};

std::string to_string(const TensorDesc& tensor);   // "[128,32,32,16]f32", with "of 40" where pixels are 40 elements apart

}  // namespace eraserelu
