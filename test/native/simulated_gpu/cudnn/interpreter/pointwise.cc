// Y = op(X), op(X, B) or op(X, B, T). "Broadcasting is assumed when a tensor dimension in one of the tensors is 1 while the other
// tensors corresponding dimension is not 1": cudnn_graph.h, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR. alpha1 and alpha2 are 1
// (operation_checks.cc).
#include "interpreter/operations.h"
#include "interpreter/pointwise_functions.h"

namespace simulated_cudnn {
namespace {

/// The values of an operand for every position of the output.
std::vector<double> broadcast(const Values& values, const std::vector<std::int64_t>& dims) {
  if (values.dims == dims) return values.data;
  std::vector<std::int64_t> strides(dims.size());   // in channels-last positions; 0 where the operand has 1
  std::int64_t stride = 1;
  const auto place = [&](std::size_t axis) {
    strides[axis] = values.dims[axis] == 1 ? 0 : stride;
    stride *= values.dims[axis];
  };
  if (dims.size() > 1) place(1);
  for (std::size_t axis = dims.size(); axis-- > 2;) place(axis);
  place(0);
  std::vector<double> result;
  for_each_element(dims, strides,
                   [&](std::int64_t offset, std::int64_t) { result.push_back(values.data[static_cast<std::size_t>(offset)]); });
  return result;
}

}  // namespace

void run_pointwise(const Graph& graph, const Operation& operation, Memory& memory) {
  const PointwiseParameters parameters =
      pointwise_parameters(*operation.descriptor->child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR));
  const Tensor& output = graph.tensors.at(operation.writes.front());
  std::vector<std::vector<double>> operands;
  for (std::int64_t uid : operation.reads) operands.push_back(broadcast(memory.load(uid), output.dims));
  std::vector<double> result(static_cast<std::size_t>(output.elements()));
  for (std::size_t i = 0; i < result.size(); ++i) {
    double in[3] = {};
    for (std::size_t j = 0; j < operands.size(); ++j) in[j] = operands[j][i];
    result[i] = pointwise_value(parameters, in);
  }
  memory.store(output.uid, result);
}

}  // namespace simulated_cudnn
