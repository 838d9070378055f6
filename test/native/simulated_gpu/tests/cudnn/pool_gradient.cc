#include "tests/cudnn/pool_gradient.h"

#include "tests/cudnn/descriptor.h"

namespace frontend {

Array pool_gradient(const std::string& mode, const Array& dy, const std::optional<Array>& index, const Dims& dims,
                    const Window& window) {
  const cudnnResampleMode_t resampleMode = mode == "max"           ? CUDNN_RESAMPLE_MAXPOOL
                                           : mode == "avg_exclude" ? CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING
                                                                   : CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING;
  Descriptor resample(CUDNN_BACKEND_RESAMPLE_DESCRIPTOR);
  resample.set(CUDNN_ATTR_RESAMPLE_MODE, CUDNN_TYPE_RESAMPLE_MODE, std::vector<cudnnResampleMode_t>{resampleMode})
      .set(CUDNN_ATTR_RESAMPLE_PADDING_MODE, CUDNN_TYPE_PADDING_MODE,
           std::vector<cudnnPaddingMode_t>{mode == "max" ? CUDNN_NEG_INF_PAD : CUDNN_ZERO_PAD})
      .set_integers(CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS, {2})
      .set_integers(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, window.size)
      .set_integers(CUDNN_ATTR_RESAMPLE_STRIDES, window.stride)
      .set_integers(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, window.pre)
      .set_integers(CUDNN_ATTR_RESAMPLE_POST_PADDINGS, window.post)
      .finalise();
  const auto gradient = make_tensor(1, dy.dims, CUDNN_DATA_FLOAT), indices = make_tensor(2, dy.dims, CUDNN_DATA_INT8),
             image = make_tensor(3, dims, CUDNN_DATA_FLOAT);
  const DeviceTensor dyMemory(dy, Type::f32), dxMemory(dims, Type::f32);
  std::map<Id, void*> pointers{{1, dyMemory.data()}, {3, dxMemory.data()}};
  Descriptor operation(CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR);
  operation.set_child(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC, resample)
      .set_child(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC, *gradient)
      .set_child(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC, *image);
  if (index) {
    operation.set_child(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC, *indices);
    pointers[2] = DeviceTensor(*index, Type::i8).data();
  }
  operation.finalise();
  run_operation(operation, pointers);
  return dxMemory.download();
}

}  // namespace frontend
