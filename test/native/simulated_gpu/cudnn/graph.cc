#include "graph.h"

#include <algorithm>

namespace simulated_cudnn {
namespace {

struct Operands {
  std::vector<cudnnBackendAttributeName_t> reads, writes;
};

const Operands& operands_of(cudnnBackendDescriptorType_t type) {
  static const std::map<cudnnBackendDescriptorType_t, Operands> all = {
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW}}},
      {CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
         CUDNN_ATTR_OPERATION_POINTWISE_TDESC},
        {CUDNN_ATTR_OPERATION_POINTWISE_YDESC, CUDNN_ATTR_OPERATION_POINTWISE_DXDESC}}},
      {CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_REDUCTION_XDESC}, {CUDNN_ATTR_OPERATION_REDUCTION_YDESC}}},
      {CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC},
        {CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC}}},
      {CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC},
        {CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC}}},
      {CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_NORM_FWD_XDESC, CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC,
         CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC,
         CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC},
        {CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC,
         CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC}}},
      {CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC, CUDNN_ATTR_OPERATION_NORM_BWD_XDESC, CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC,
         CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC, CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC},
        {CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC, CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC,
         CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC}}},
  };
  const auto entry = all.find(type);
  if (entry == all.end())
    fail(CUDNN_STATUS_NOT_SUPPORTED, "descriptor type ", type, " is no operation that the stand-in computes");
  return entry->second;
}

void add_tensor(Graph& graph, const Object& operation, cudnnBackendAttributeName_t name, std::vector<std::int64_t>& uids) {
  const ObjectRef descriptor = operation.child(name);
  if (descriptor == nullptr) return;
  const Tensor tensor = tensor_of(*descriptor);
  const auto [entry, isNew] = graph.tensors.emplace(tensor.uid, tensor);
  if (!isNew && (entry->second.dims != tensor.dims || entry->second.type != tensor.type))
    fail(CUDNN_STATUS_BAD_PARAM, "two tensors have the unique id ", tensor.uid);
  uids.push_back(tensor.uid);
}

Operation operation_of(Graph& graph, const ObjectRef& descriptor) {
  Operation operation{descriptor, {}, {}};
  const Operands& operands = operands_of(descriptor->type);
  for (const auto name : operands.reads) add_tensor(graph, *descriptor, name, operation.reads);
  for (const auto name : operands.writes) add_tensor(graph, *descriptor, name, operation.writes);
  if (descriptor->type != CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR) return operation;
  // "Estimated mean input tensor descriptor for the inference phase and the computed mean output tensor descriptor for the
  // training phase" (cudnn_graph.h, CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR); the same for the inverse variance.
  const bool training =
      descriptor->value<cudnnBackendNormFwdPhase_t>(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE) == CUDNN_NORM_FWD_TRAINING;
  for (const auto name : {CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC})
    add_tensor(graph, *descriptor, name, training ? operation.writes : operation.reads);
  return operation;
}

/// Kahn's algorithm; among operations that are ready the first in the caller's order goes first.
std::vector<Operation> in_running_order(std::vector<Operation> waiting) {
  std::vector<Operation> sorted;
  while (!waiting.empty()) {
    const auto is_ready = [&](const Operation& operation) {
      return std::none_of(operation.reads.begin(), operation.reads.end(), [&](std::int64_t uid) {
        return std::any_of(waiting.begin(), waiting.end(), [&](const Operation& other) {
          return std::find(other.writes.begin(), other.writes.end(), uid) != other.writes.end();
        });
      });
    };
    const auto next = std::find_if(waiting.begin(), waiting.end(), is_ready);
    if (next == waiting.end()) fail(CUDNN_STATUS_BAD_PARAM, "the operation graph has a cycle");
    sorted.push_back(std::move(*next));
    waiting.erase(next);
  }
  return sorted;
}

}  // namespace

bool Operation::is_pointwise(cudnnPointwiseMode_t mode) const {
  if (type() != CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR) return false;
  const ObjectRef pointwise = descriptor->child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
  return pointwise->value<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE) == mode;
}

const Tensor& Graph::tensor(const Object& operation, cudnnBackendAttributeName_t name) const {
  const ObjectRef descriptor = operation.child(name);
  if (descriptor == nullptr)
    fail(CUDNN_STATUS_BAD_PARAM, "operation of type ", operation.type, " lacks the tensor of attribute ", name);
  return tensors.at(descriptor->value<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID));
}

const Operation* Graph::writer_of(std::int64_t uid) const {
  for (const Operation& operation : operations)
    if (std::find(operation.writes.begin(), operation.writes.end(), uid) != operation.writes.end()) return &operation;
  return nullptr;
}

std::vector<const Operation*> Graph::readers_of(std::int64_t uid) const {
  std::vector<const Operation*> readers;
  for (const Operation& operation : operations)
    if (std::find(operation.reads.begin(), operation.reads.end(), uid) != operation.reads.end()) readers.push_back(&operation);
  return readers;
}

Graph graph_of(const Object& operationGraph) {
  Graph graph;
  std::map<std::int64_t, int> writers;
  std::vector<Operation> operations;
  for (const ObjectRef& descriptor : operationGraph.at(CUDNN_ATTR_OPERATIONGRAPH_OPS).children) {
    operations.push_back(operation_of(graph, descriptor));
    for (std::int64_t uid : operations.back().writes)
      if (++writers[uid] > 1) fail(CUDNN_STATUS_BAD_PARAM, "tensor ", uid, " is written by two operations");
  }
  for (const auto& [uid, tensor] : graph.tensors)
    if (tensor.isVirtual && writers.count(uid) == 0)
      fail(CUDNN_STATUS_BAD_PARAM, "virtual tensor ", uid, " is written by no operation");
  graph.operations = in_running_order(std::move(operations));
  return graph;
}

}  // namespace simulated_cudnn
