// Tensor descriptors: what cudnnBackendFinalize asks of them, and their sizes.
#include <algorithm>

#include "graph.h"
#include "interpreter/element.h"

namespace simulated_cudnn {

std::int64_t Tensor::elements() const {
  std::int64_t count = 1;
  for (std::int64_t dim : dims) count *= dim;
  return count;
}

std::int64_t Tensor::bytes() const {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < dims.size(); ++i) last += (dims[i] - 1) * strides[i];
  return (bits_of(type) * (last + 1) + 7) / 8;
}

// "Any of the tensor dimensions or strides is not positive", "the value of the tensor alignment attribute is not divisible by the
// size of the data type": cudnn_graph.h, CUDNN_BACKEND_TENSOR_DESCRIPTOR, Finalization.
Tensor tensor_of(const Object& descriptor) {
  Tensor tensor;
  tensor.uid = descriptor.value<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
  tensor.type = descriptor.value<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE);
  tensor.dims = descriptor.integers(CUDNN_ATTR_TENSOR_DIMENSIONS);
  tensor.strides = descriptor.integers(CUDNN_ATTR_TENSOR_STRIDES);
  tensor.alignment = descriptor.value<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
  tensor.isVirtual = descriptor.value_or<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL, false);
  tensor.byValue = descriptor.value_or<bool>(CUDNN_ATTR_TENSOR_IS_BY_VALUE, false);
  name_of(tensor.type);
  if (tensor.dims.size() != tensor.strides.size())
    fail(CUDNN_STATUS_BAD_PARAM, "tensor ", tensor.uid, " has ", tensor.dims.size(), " dimensions and ", tensor.strides.size(),
         " strides");
  const auto positive = [](std::int64_t value) { return value > 0; };
  if (!std::all_of(tensor.dims.begin(), tensor.dims.end(), positive))
    fail(CUDNN_STATUS_BAD_PARAM, "tensor ", tensor.uid, " has a dimension that is not positive");
  if (!std::all_of(tensor.strides.begin(), tensor.strides.end(), positive))
    fail(CUDNN_STATUS_BAD_PARAM, "tensor ", tensor.uid, " has a stride that is not positive");
  const std::int64_t size = std::max<std::int64_t>(1, bits_of(tensor.type) / 8);
  if (tensor.alignment <= 0 || tensor.alignment % size != 0)
    fail(CUDNN_STATUS_BAD_PARAM, "tensor ", tensor.uid, " has an alignment of ", tensor.alignment,
         " bytes, no multiple of its element's ", size);
  return tensor;
}

const char* name_of(cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_FLOAT: return "f32";
    case CUDNN_DATA_BFLOAT16: return "bf16";
    case CUDNN_DATA_HALF: return "f16";
    case CUDNN_DATA_INT8: return "i8";
    case CUDNN_DATA_INT32: return "i32";
    case CUDNN_DATA_BOOLEAN: return "boolean";
    default: fail(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "the stand-in does not store data type ", type);
  }
}

}  // namespace simulated_cudnn
