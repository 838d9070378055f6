// "Observed" below: what cuDNN 9.24 and 9.28 answer for sm_90 when they are asked for engine configurations.
#include "support_rules.h"

#include <algorithm>

namespace simulated_cudnn {
namespace {

/// Documented: NormAddRelu and DReluForkDNorm take packed NHWC with C a multiple of 8 (16 bits) or 4 (f32).
void check_norm_channels(const Graph& graph, const Operation& op) {
  const Tensor& x = graph.tensor(*op.descriptor, op.type() == CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR
                                                     ? CUDNN_ATTR_OPERATION_NORM_FWD_XDESC
                                                     : CUDNN_ATTR_OPERATION_NORM_BWD_XDESC);
  const std::int64_t multiple = x.type == CUDNN_DATA_FLOAT ? 4 : 8;
  if (x.dims[1] % multiple != 0)
    fail(CUDNN_STATUS_NOT_SUPPORTED_SHAPE, "batch norm of ", x.dims[1], " channels: not a multiple of ", multiple);
  eraserelu::FormTensor form{"", x.dims, x.strides, false, false};
  if (!eraserelu::layout_class(form).empty())
    fail(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT, "batch norm takes packed channels-last tensors");
}

/// Documented: "Batch norm only supports forward training and not forward inference" (cudnn_graph.h). Observed: as a virtual
/// input of a ReLU's gradient it is accepted.
void check_norm_inference(const Graph& graph, const Operation& op) {
  if (op.descriptor->value<cudnnBackendNormFwdPhase_t>(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE) != CUDNN_NORM_FWD_INFERENCE) return;
  const auto readers = graph.readers_of(op.writes.front());
  const bool feedsGradient = readers.size() == 1 && readers.front()->is_pointwise(CUDNN_POINTWISE_RELU_BWD);
  if (!graph.tensors.at(op.writes.front()).isVirtual || !feedsGradient)
    fail(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN, "batch norm is not supported in the inference phase");
}

/// Observed: after training batch norm + ADD there must be an activation; without one there is no engine in any form.
void check_norm_add(const Graph& graph, const Operation& op) {
  for (const Operation* add : graph.readers_of(op.writes.front())) {
    if (!add->is_pointwise(CUDNN_POINTWISE_ADD)) continue;
    const auto readers = graph.readers_of(add->writes.front());
    const bool activated = std::any_of(readers.begin(), readers.end(), [](const Operation* reader) {
      return reader->is_pointwise(CUDNN_POINTWISE_RELU_FWD) || reader->is_pointwise(CUDNN_POINTWISE_SWISH_FWD);
    });
    // Nor may bits be made of the sum: they are made of the activation's result.
    const bool compared = std::any_of(readers.begin(), readers.end(), [](const Operation* reader) { return reader->is_pointwise(CUDNN_POINTWISE_CMP_GT); });
    if (compared) fail(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN, "a mask of what the activation behind a batch norm reads");
    if (!activated) fail(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN, "batch norm + add without an activation");
  }
}

/// Observed: the x of a RELU_BWD that feeds batch norm's gradient must be virtual and of the type of the gradients in memory, and
/// its result must not be written. That of a multiplication by a mask may be, and has that type too; of other operations cuDNN was not asked.
void check_gradient_of_relu(const Graph& graph, const Operation& norm) {
  const Operation* relu = graph.writer_of(graph.tensor(*norm.descriptor, CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC).uid);
  if (relu == nullptr) return;
  const Tensor& masked = graph.tensors.at(relu->writes.front());
  const cudnnDataType_t type = graph.tensor(*norm.descriptor, CUDNN_ATTR_OPERATION_NORM_BWD_XDESC).type;
  if (relu->is_pointwise(CUDNN_POINTWISE_MUL) && masked.type != type)
    fail(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "the masked gradient before batch norm's has its input's type");
  if (!relu->is_pointwise(CUDNN_POINTWISE_MUL) && !masked.isVirtual)
    fail(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN, "the masked gradient of a batch norm cannot be written");
  if (!relu->is_pointwise(CUDNN_POINTWISE_RELU_BWD)) return;
  const Tensor& x = graph.tensor(*relu->descriptor, CUDNN_ATTR_OPERATION_POINTWISE_XDESC);
  const Operation* source = graph.writer_of(x.uid);
  if (!x.isVirtual || source == nullptr || source->type() != CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR)
    fail(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN,
         "the x of a ReLU's gradient before batch norm's must be a virtual batch norm inference");
  if (x.type != type || masked.type != type)
    fail(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "virtual tensors before batch norm's gradient have its input's type");
}

}  // namespace

void refuse_known_forms(const Graph& graph) {
  for (const Operation& op : graph.operations) {
    if (op.type() == CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR) {
      check_norm_channels(graph, op);
      check_norm_inference(graph, op);
      check_norm_add(graph, op);
    } else if (op.type() == CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR) {
      check_norm_channels(graph, op);
      check_gradient_of_relu(graph, op);
    }
  }
}

}  // namespace simulated_cudnn
