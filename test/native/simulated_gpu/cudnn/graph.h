// An operation graph as the interpreter and the support rules see it: tensors by unique id, operations in an order in which they
// can run.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "graph_key.h"
#include "object.h"

namespace simulated_cudnn {

struct Tensor {
  std::int64_t uid = 0;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::vector<std::int64_t> dims;   // N, C, spatial… whatever the layout
  std::vector<std::int64_t> strides;   // in elements
  std::int64_t alignment = 1;   // of its address, in bytes
  bool isVirtual = false;
  bool byValue = false;

  std::int64_t elements() const;
  std::int64_t bytes() const;   // from the first element to the end of the last one, gaps included
};

Tensor tensor_of(const Object& descriptor);

/// "f32", "bf16", …; throws NOT_SUPPORTED for a type that the stand-in cannot store.
const char* name_of(cudnnDataType_t type);

/// An operation descriptor with the ids of the tensors that it reads and writes, in the order of its attributes in graph.cc.
struct Operation {
  ObjectRef descriptor;
  std::vector<std::int64_t> reads;
  std::vector<std::int64_t> writes;

  cudnnBackendDescriptorType_t type() const { return descriptor->type; }
  bool is_pointwise(cudnnPointwiseMode_t mode) const;
};

struct Graph {
  std::map<std::int64_t, Tensor> tensors;
  std::vector<Operation> operations;

  const Tensor& tensor(const Object& operation, cudnnBackendAttributeName_t name) const;
  /// The operation that writes a tensor; nullptr for an input of the graph.
  const Operation* writer_of(std::int64_t uid) const;
  std::vector<const Operation*> readers_of(std::int64_t uid) const;
};

/// Reads a CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR. Throws BAD_PARAM for a cycle, a tensor written twice, a virtual tensor that
/// nobody writes, or two tensors with one id.
Graph graph_of(const Object& operationGraph);

/// The graph in the words of graph_key.h.
eraserelu::GraphForm form_of(const Graph& graph);

/// "relu_fwd" for CUDNN_POINTWISE_RELU_FWD; throws NOT_SUPPORTED for a mode that the stand-in does not compute.
const char* name_of(cudnnPointwiseMode_t mode);

}  // namespace simulated_cudnn
