// An operation graph in the words of simulated_gpu/cudnn/graph_key.h.
#include "graph.h"
#include "interpreter/pointwise_functions.h"

namespace simulated_cudnn {
namespace {

eraserelu::FormConvolution convolution_of(const Object& descriptor, const Tensor& x, const Tensor& w) {
  return {descriptor.integers(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS),
          descriptor.integers(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS),
          descriptor.integers(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES),
          descriptor.integers(CUDNN_ATTR_CONVOLUTION_DILATIONS),
          w.dims,
          x.dims[1] / w.dims[1]};
}

void describe_pointwise(const Object& pointwise, eraserelu::FormOp& form) {
  const PointwiseParameters p = pointwise_parameters(pointwise);
  form.name = name_of(p.mode);
  if (p.mode == CUDNN_POINTWISE_RELU_FWD || p.mode == CUDNN_POINTWISE_RELU_BWD)
    form.attributes = eraserelu::relu_attributes(p.lowerClip, p.upperClip, p.slope);
}

std::string resample_name(const Object& resample) {
  const auto mode = resample.value_or(CUDNN_ATTR_RESAMPLE_MODE, CUDNN_RESAMPLE_NEAREST);
  return mode == CUDNN_RESAMPLE_MAXPOOL                   ? "max_pool"
         : mode == CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING ? "avg_pool_exclude"
                                                          : "avg_pool_include";
}

eraserelu::FormOp describe(const Graph& graph, const Object& op) {
  static const char* const reductions[] = {"reduce_add", "reduce_mul", "reduce_min", "reduce_max"};
  eraserelu::FormOp form;
  const auto convolution = [&](const char* name, cudnnBackendAttributeName_t descriptor, cudnnBackendAttributeName_t x,
                               cudnnBackendAttributeName_t w) {
    form.name = name;
    form.attributes =
        eraserelu::convolution_attributes(convolution_of(*op.child(descriptor), graph.tensor(op, x), graph.tensor(op, w)));
  };
  switch (op.type) {
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      convolution("conv_fprop", CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W);
      break;
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      convolution("conv_dgrad", CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W);
      break;
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
      convolution("conv_wgrad", CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW);
      break;
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
      describe_pointwise(*op.child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR), form);
      break;
    case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR:
      form.name =
          reductions[op.child(CUDNN_ATTR_OPERATION_REDUCTION_DESC)->value<cudnnReduceTensorOp_t>(CUDNN_ATTR_REDUCTION_OPERATOR)];
      break;
    case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR:
      form.name = resample_name(*op.child(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC));
      break;
    case CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR:
      form.name = resample_name(*op.child(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC)) + "_bwd";
      break;
    case CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR:
      form.name = op.value<cudnnBackendNormFwdPhase_t>(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE) == CUDNN_NORM_FWD_TRAINING
                      ? "batch_norm_training"
                      : "batch_norm_inference";
      break;
    default: form.name = "batch_norm_backward";
  }
  return form;
}

}  // namespace

eraserelu::GraphForm form_of(const Graph& graph) {
  eraserelu::GraphForm form;
  std::map<std::int64_t, int> places;
  for (const auto& [uid, tensor] : graph.tensors) {
    places[uid] = static_cast<int>(form.tensors.size());
    form.tensors.push_back({name_of(tensor.type), tensor.dims, tensor.strides, tensor.isVirtual, tensor.byValue});
  }
  for (const Operation& operation : graph.operations) {
    form.ops.push_back(describe(graph, *operation.descriptor));
    for (std::int64_t uid : operation.reads) form.ops.back().reads.push_back(places.at(uid));
    for (std::int64_t uid : operation.writes) form.ops.back().writes.push_back(places.at(uid));
  }
  return form;
}

}  // namespace simulated_cudnn
