// What cudnnBackendFinalize asks of each operation: shapes, operands, and attribute values that cuDNN documents as supported.
#include "operation_checks.h"

#include <algorithm>

#include "graph.h"
#include "interpreter/pointwise_functions.h"

namespace simulated_cudnn {
namespace {

using Dims = std::vector<std::int64_t>;

std::string text_of(const Dims& dims) {
  std::string text;
  for (std::int64_t dim : dims) text += (text.empty() ? "[" : ",") + std::to_string(dim);
  return text + "]";
}

Tensor tensor_at(const Object& op, cudnnBackendAttributeName_t name) {
  const ObjectRef descriptor = op.child(name);
  if (descriptor == nullptr) fail(CUDNN_STATUS_BAD_PARAM, "operation of type ", op.type, " lacks the tensor of attribute ", name);
  return tensor_of(*descriptor);
}

void need_value(const Object& op, cudnnBackendAttributeName_t name, double expected) {
  if (op.real(name, expected) != expected)
    fail(CUDNN_STATUS_NOT_SUPPORTED, "attribute ", name, " is ", op.real(name, expected), "; only ", expected, " is supported");
}

void need_float(const Object& op, cudnnBackendAttributeName_t name) {
  if (op.value_or(name, CUDNN_DATA_FLOAT) != CUDNN_DATA_FLOAT)
    fail(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "the compute type must be CUDNN_DATA_FLOAT");
}

/// y_i = 1 + (x_i + pre_i + post_i - extent_i) / stride_i for both spatial dimensions.
void need_windows(const Dims& image, const Dims& response, const Dims& pre, const Dims& post, const Dims& stride,
                  const Dims& extent) {
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t room = image[i + 2] + pre[i] + post[i] - extent[i];
    if (room < 0 || response[i + 2] != 1 + room / stride[i])
      fail(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "an image of ", text_of(image), " does not give a response of ",
           text_of(response));
  }
}

void check_convolution(const Object& convolution, const Tensor& x, const Tensor& w, const Tensor& y) {
  if (convolution.value<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) != CUDNN_CROSS_CORRELATION)
    fail(CUDNN_STATUS_NOT_SUPPORTED, "only CUDNN_CROSS_CORRELATION is supported");
  need_float(convolution, CUDNN_ATTR_CONVOLUTION_COMP_TYPE);
  if (x.dims.size() != 4 || w.dims.size() != 4 || y.dims.size() != 4)
    fail(CUDNN_STATUS_NOT_SUPPORTED_SHAPE, "only 2-d convolutions are supported");
  if (x.dims[0] != y.dims[0] || w.dims[0] != y.dims[1] || x.dims[1] % w.dims[1] != 0 || w.dims[0] % (x.dims[1] / w.dims[1]) != 0)
    fail(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "x ", text_of(x.dims), ", w ", text_of(w.dims), " and y ", text_of(y.dims),
         " are no convolution");
  const Dims dilation = convolution.integers(CUDNN_ATTR_CONVOLUTION_DILATIONS);
  const Dims extent{(w.dims[2] - 1) * dilation[0] + 1, (w.dims[3] - 1) * dilation[1] + 1};
  need_windows(x.dims, y.dims, convolution.integers(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS),
               convolution.integers(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS),
               convolution.integers(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES), extent);
}

/// Broadcast: every dimension of an operand is the output's or 1. "For three-input single-output pointwise operations, we do not
/// support broadcasting in any tensor": cudnn_graph.h, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR.
void check_pointwise(const Object& op) {
  const Object& pointwise = *op.child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
  const PointwiseMode& mode = pointwise_mode(pointwise.value<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE));
  need_value(op, CUDNN_ATTR_OPERATION_POINTWISE_ALPHA1, 1);
  need_value(op, CUDNN_ATTR_OPERATION_POINTWISE_ALPHA2, 1);
  const bool backward = op.child(CUDNN_ATTR_OPERATION_POINTWISE_DYDESC) != nullptr;
  const Tensor output = tensor_at(op, backward ? CUDNN_ATTR_OPERATION_POINTWISE_DXDESC : CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
  int inputs = 0;
  for (const auto name : {CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
                          CUDNN_ATTR_OPERATION_POINTWISE_BDESC, CUDNN_ATTR_OPERATION_POINTWISE_TDESC}) {
    if (op.child(name) == nullptr) continue;
    ++inputs;
    const Tensor input = tensor_at(op, name);
    if (input.dims.size() != output.dims.size())
      fail(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, mode.name, ": operands of different rank");
    for (std::size_t i = 0; i < input.dims.size(); ++i)
      if (input.dims[i] != output.dims[i] && (input.dims[i] != 1 || mode.inputs == 3))
        fail(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, mode.name, ": ", text_of(input.dims), " does not fit ", text_of(output.dims));
  }
  if (inputs != mode.inputs) fail(CUDNN_STATUS_BAD_PARAM, mode.name, " takes ", mode.inputs, " tensors, not ", inputs);
}

/// "CUDNN_ATTR_REDUCTION_OPERATOR is not set to either of ADD, MUL, MIN or MAX" is not supported: cudnn_graph.h,
/// CUDNN_BACKEND_REDUCTION_DESCRIPTOR. Y is CUDNN_DATA_FLOAT: graph API guide, Constraints for Reduction Operations.
void check_reduction(const Object& op) {
  const Object& reduction = *op.child(CUDNN_ATTR_OPERATION_REDUCTION_DESC);
  if (reduction.value<cudnnReduceTensorOp_t>(CUDNN_ATTR_REDUCTION_OPERATOR) > CUDNN_REDUCE_TENSOR_MAX)
    fail(CUDNN_STATUS_NOT_SUPPORTED, "only the reductions ADD, MUL, MIN and MAX are supported");
  need_float(reduction, CUDNN_ATTR_REDUCTION_COMP_TYPE);
  const Tensor x = tensor_at(op, CUDNN_ATTR_OPERATION_REDUCTION_XDESC), y = tensor_at(op, CUDNN_ATTR_OPERATION_REDUCTION_YDESC);
  bool fits = x.dims.size() == y.dims.size();
  for (std::size_t i = 0; fits && i < x.dims.size(); ++i) fits = y.dims[i] == x.dims[i] || y.dims[i] == 1;
  if (!fits) fail(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "a reduction of ", text_of(x.dims), " cannot be ", text_of(y.dims));
  if (!y.isVirtual && y.type != CUDNN_DATA_FLOAT)
    fail(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "a reduction writes CUDNN_DATA_FLOAT");
}

/// Padding mode by resample mode, alpha 1 and beta 0: graph API guide, Specific Restrictions for the Downsampling Modes.
void check_resample(const Object& resample, const Tensor& x, const Tensor& y, const Object* index) {
  const auto mode = resample.value_or(CUDNN_ATTR_RESAMPLE_MODE, CUDNN_RESAMPLE_NEAREST);
  const bool maximum = mode == CUDNN_RESAMPLE_MAXPOOL;
  if (!maximum && mode != CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING && mode != CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING)
    fail(CUDNN_STATUS_NOT_SUPPORTED, "only maximum and average pooling are supported");
  if (resample.value_or(CUDNN_ATTR_RESAMPLE_PADDING_MODE, CUDNN_ZERO_PAD) != (maximum ? CUDNN_NEG_INF_PAD : CUDNN_ZERO_PAD))
    fail(CUDNN_STATUS_NOT_SUPPORTED_PADDING, "maximum pooling pads with -infinity, average pooling with zeros");
  need_float(resample, CUDNN_ATTR_RESAMPLE_COMP_TYPE);
  if (index != nullptr && (!maximum || tensor_of(*index).dims != y.dims))
    fail(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "an index tensor has the response's shape, for maximum pooling");
  if (x.dims.size() != 4 || y.dims.size() != 4 || x.dims[0] != y.dims[0] || x.dims[1] != y.dims[1])
    fail(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "pooling of ", text_of(x.dims), " to ", text_of(y.dims),
         "; only 2-d is supported");
  need_windows(x.dims, y.dims, resample.integers(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS),
               resample.integers(CUDNN_ATTR_RESAMPLE_POST_PADDINGS), resample.integers(CUDNN_ATTR_RESAMPLE_STRIDES),
               resample.integers(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS));
}

/// All tensors named have the shape [1, C, 1, 1] of x's channels; absent ones are passed over.
void need_channels(const Object& op, const Tensor& x, std::initializer_list<cudnnBackendAttributeName_t> names) {
  for (const auto name : names) {
    if (op.child(name) == nullptr) continue;
    Dims expected(x.dims.size(), 1);
    expected[1] = x.dims[1];
    const Tensor tensor = tensor_at(op, name);
    if (tensor.dims != expected)
      fail(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "attribute ", name, " has shape ", text_of(tensor.dims), ", not ",
           text_of(expected));
    if (tensor.type != CUDNN_DATA_FLOAT)
      fail(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "statistics, scale and bias are CUDNN_DATA_FLOAT");
  }
}

void need_same_shape(const Tensor& a, const Tensor& b) {
  if (a.dims != b.dims)
    fail(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "shapes ", text_of(a.dims), " and ", text_of(b.dims), " differ");
}

void need_batch_norm(cudnnBackendNormMode_t mode) {
  if (mode != CUDNN_BATCH_NORM) fail(CUDNN_STATUS_NOT_SUPPORTED, "of the normalisations only CUDNN_BATCH_NORM is supported");
}

void check_norm_forward(const Object& op) {
  need_batch_norm(op.value<cudnnBackendNormMode_t>(CUDNN_ATTR_OPERATION_NORM_FWD_MODE));
  const Tensor x = tensor_at(op, CUDNN_ATTR_OPERATION_NORM_FWD_XDESC);
  need_same_shape(x, tensor_at(op, CUDNN_ATTR_OPERATION_NORM_FWD_YDESC));
  need_channels(op, x,
                {CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC,
                 CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC,
                 CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC,
                 CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC});
  if (op.value<cudnnBackendNormFwdPhase_t>(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE) == CUDNN_NORM_FWD_INFERENCE) {
    tensor_at(op, CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC);
    tensor_at(op, CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC);
    return;
  }
  if (!tensor_at(op, CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC).byValue)
    fail(CUDNN_STATUS_BAD_PARAM, "epsilon must be passed by value");
  int running = 0;
  for (const auto name :
       {CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC,
        CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC,
        CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC})
    running += op.child(name) != nullptr;
  if (running != 0 && running != 5)
    fail(CUDNN_STATUS_BAD_PARAM, "running statistics need the factor and both statistics as inputs and outputs");
}

void check_norm_backward(const Object& op) {
  need_batch_norm(op.value<cudnnBackendNormMode_t>(CUDNN_ATTR_OPERATION_NORM_BWD_MODE));
  const Tensor x = tensor_at(op, CUDNN_ATTR_OPERATION_NORM_BWD_XDESC);
  need_same_shape(x, tensor_at(op, CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC));
  need_same_shape(x, tensor_at(op, CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC));
  need_channels(op, x,
                {CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC, CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC,
                 CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC, CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC,
                 CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC});
}

}  // namespace

void check_operation(const Object& op) {
  switch (op.type) {
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      need_value(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1);
      need_value(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0);
      return check_convolution(*op.child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC),
                               tensor_at(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X),
                               tensor_at(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W),
                               tensor_at(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y));
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      need_value(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1);
      need_value(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0);
      return check_convolution(*op.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC),
                               tensor_at(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX),
                               tensor_at(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W),
                               tensor_at(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY));
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
      need_value(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1);
      need_value(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0);
      return check_convolution(*op.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC),
                               tensor_at(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X),
                               tensor_at(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW),
                               tensor_at(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY));
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR: return check_pointwise(op);
    case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR: return check_reduction(op);
    case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR:
      need_value(op, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_ALPHA, 1);
      need_value(op, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_BETA, 0);
      return check_resample(
          *op.child(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC), tensor_at(op, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC),
          tensor_at(op, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC), op.child(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC).get());
    case CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR:
      need_value(op, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_ALPHA, 1);
      need_value(op, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_BETA, 0);
      return check_resample(
          *op.child(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC), tensor_at(op, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC),
          tensor_at(op, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC), op.child(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC).get());
    case CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR: return check_norm_forward(op);
    case CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR: return check_norm_backward(op);
    default: return;
  }
}

}  // namespace simulated_cudnn
