#include "base/tensor_desc.h"

#include "base/error.h"

namespace eraserelu {

namespace {
struct DTypeRow {
  DType dtype;
  const char* name;
  std::size_t bytes;
};
constexpr DTypeRow kDTypes[] = {
    {DType::f32, "f32", 4}, {DType::bf16, "bf16", 2}, {DType::f16, "f16", 2}, {DType::i32, "i32", 4}, {DType::u8, "u8", 1},
};
}  // namespace

std::size_t bytes_of(DType dtype) { return kDTypes[static_cast<int>(dtype)].bytes; }

const char* name_of(DType dtype) { return kDTypes[static_cast<int>(dtype)].name; }

DType dtype_named(const std::string& name) {
  for (const auto& row : kDTypes)
    if (name == row.name) return row.dtype;
  fail(ErrorCode::InvalidArgument, "unknown dtype '", name, "': use f32, bf16, f16, i32 or u8");
}

std::int64_t elements_of(const Shape& shape) {
  std::int64_t product = 1;
  for (std::int64_t dim : shape) product *= dim;
  return product;
}

Shape TensorDesc::shape_in_memory() const {
  Shape result = shape;
  if (pitched()) result.back() = pitch;
  return result;
}

std::size_t TensorDesc::extent() const {
  if (!pitched()) return bytes();
  return static_cast<std::size_t>((elements() / shape.back() - 1) * pitch + shape.back()) * bytes_of(dtype);
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? "," : "") + std::to_string(shape[i]);
  return text + "]";
}

std::string to_string(const TensorDesc& tensor) {
  return to_string(tensor.shape) + (tensor.pitched() ? "of " + std::to_string(tensor.pitch) : "") + name_of(tensor.dtype);
}

}  // namespace eraserelu
