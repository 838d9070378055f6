// "Reduces values of an input tensor X in one or more dimensions to get an output tensor Y … the size as that of input tensor X,
// except dimensions where its size is 1": cudnn_graph.h, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR.
#include <algorithm>

#include "interpreter/operations.h"

namespace simulated_cudnn {

void run_reduction(const Graph& graph, const Operation& operation, Memory& memory) {
  const Object& op = *operation.descriptor;
  const auto reduce = op.child(CUDNN_ATTR_OPERATION_REDUCTION_DESC)->value<cudnnReduceTensorOp_t>(CUDNN_ATTR_REDUCTION_OPERATOR);
  const Tensor& output = graph.tensor(op, CUDNN_ATTR_OPERATION_REDUCTION_YDESC);
  const Values x = memory.load(operation.reads.front());
  std::vector<std::int64_t> strides(x.dims.size());   // of Y in channels-last positions, 0 along a reduced dimension
  std::int64_t stride = 1;
  const auto place = [&](std::size_t axis) {
    strides[axis] = output.dims[axis] == 1 ? 0 : stride;
    stride *= output.dims[axis];
  };
  if (x.dims.size() > 1) place(1);
  for (std::size_t axis = x.dims.size(); axis-- > 2;) place(axis);
  place(0);
  std::vector<double> result(static_cast<std::size_t>(output.elements()));
  std::vector<bool> begun(result.size());
  for_each_element(x.dims, strides, [&](std::int64_t offset, std::int64_t position) {
    const auto at = static_cast<std::size_t>(offset);
    const double value = x.data[static_cast<std::size_t>(position)];
    double& sum = result[at];
    if (!begun[at]) sum = value;
    else if (reduce == CUDNN_REDUCE_TENSOR_ADD) sum += value;
    else if (reduce == CUDNN_REDUCE_TENSOR_MUL) sum *= value;
    else if (reduce == CUDNN_REDUCE_TENSOR_MIN) sum = std::min(sum, value);
    else sum = std::max(sum, value);
    begun[at] = true;
  });
  memory.store(output.uid, result);
}

}  // namespace simulated_cudnn
