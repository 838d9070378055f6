#include "interpreter/operations.h"

namespace simulated_cudnn {

void run_graph(const Graph& graph, Memory& memory) {
  for (const Operation& operation : graph.operations) {
    switch (operation.type()) {
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR: run_convolution_forward(graph, operation, memory); break;
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
        run_convolution_backward_data(graph, operation, memory);
        break;
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
        run_convolution_backward_filter(graph, operation, memory);
        break;
      case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR: run_pointwise(graph, operation, memory); break;
      case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR: run_reduction(graph, operation, memory); break;
      case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR: run_resample_forward(graph, operation, memory); break;
      case CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR: run_resample_backward(graph, operation, memory); break;
      case CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR: run_norm_forward(graph, operation, memory); break;
      case CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR: run_norm_backward(graph, operation, memory); break;
      default: fail(CUDNN_STATUS_INTERNAL_ERROR, "descriptor type ", operation.type(), " in a finalised graph");
    }
  }
}

}  // namespace simulated_cudnn
