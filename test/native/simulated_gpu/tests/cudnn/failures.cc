// Misuse of descriptors, failures on request, and descriptors that are left behind.
#include "cudnn/sim_cudnn.h"
#include "tests/cudnn/add_graph.h"
#include "tests/cudnn/descriptor.h"
#include "tests/harness.h"

using namespace frontend;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

#define CHECK_ERROR(expected, ...)                                                        \
  if (const std::string text = error_of([&] { __VA_ARGS__; }); !contains(text, expected)) \
  harness::fail(__FILE__, __LINE__, "the error is '" + text + "'")

Descriptor& with_dims(Descriptor& tensor, const Dims& dims, const Dims& strides) {
  return tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, std::vector<cudnnDataType_t>{CUDNN_DATA_FLOAT})
      .set_integers(CUDNN_ATTR_TENSOR_UNIQUE_ID, {1})
      .set_integers(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {16})
      .set_integers(CUDNN_ATTR_TENSOR_DIMENSIONS, dims)
      .set_integers(CUDNN_ATTR_TENSOR_STRIDES, strides);
}

}  // namespace

TEST(attributes_are_checked) {
  Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  CHECK_ERROR("CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE",
              tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_DOUBLE, std::vector<double>{1}));
  CHECK_ERROR("cannot have 2 elements", tensor.set_integers(CUDNN_ATTR_TENSOR_UNIQUE_ID, {1, 2}));
  CHECK_ERROR("has no attribute", tensor.set_integers(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2}));
  CHECK_ERROR("CUDNN_ATTR_TENSOR_UNIQUE_ID is not set", tensor.finalise());
  with_dims(tensor, {1, 8, 2, 2}, {32, 1, 16, 8}).finalise();
  CHECK_ERROR("the descriptor is finalised", tensor.set_integers(CUDNN_ATTR_TENSOR_UNIQUE_ID, {2}));
  CHECK_ERROR("is read-only",
              Descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR).set_integers(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, {0}));
}

TEST(tensors_are_checked) {
  Descriptor zero(CUDNN_BACKEND_TENSOR_DESCRIPTOR), negative(CUDNN_BACKEND_TENSOR_DESCRIPTOR),
      ragged(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  CHECK_ERROR("dimension that is not positive", with_dims(zero, {1, 0, 2, 2}, {32, 1, 16, 8}).finalise());
  CHECK_ERROR("stride that is not positive", with_dims(negative, {1, 8, 2, 2}, {32, 1, -16, 8}).finalise());
  CHECK_ERROR("4 dimensions and 3 strides", with_dims(ragged, {1, 8, 2, 2}, {32, 1, 16}).finalise());
}

TEST(a_descriptor_that_is_not_finalised_cannot_be_used) {
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR), operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  CHECK_ERROR("CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED", graph.set_child(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation));
}

TEST(operation_graphs_are_checked) {
  const Dims dims{1, 8, 2, 2};
  const auto a = make_tensor(1, dims, CUDNN_DATA_FLOAT), b = make_tensor(2, dims, CUDNN_DATA_FLOAT);
  Descriptor abs(CUDNN_BACKEND_POINTWISE_DESCRIPTOR), forth(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR),
      back(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  abs.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, std::vector<cudnnPointwiseMode_t>{CUDNN_POINTWISE_ABS})
      .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, std::vector<cudnnDataType_t>{CUDNN_DATA_FLOAT})
      .finalise();
  const auto connect = [&](Descriptor& operation, const Descriptor& from, const Descriptor& to) {
    operation.set_child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, abs)
        .set_child(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, from)
        .set_child(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, to)
        .finalise();
  };
  connect(forth, *a, *b);
  connect(back, *b, *a);
  const auto graph_of = [](const std::vector<cudnnBackendDescriptor_t>& operations) {
    Descriptor(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR)
        .set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations)
        .finalise();
  };
  CHECK_ERROR("has a cycle", graph_of({forth.get(), back.get()}));
  CHECK_ERROR("written by two operations", graph_of({forth.get(), forth.get()}));
}

TEST(shapes_of_a_convolution_are_checked) {
  Descriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR), operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, std::vector<cudnnDataType_t>{CUDNN_DATA_FLOAT})
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE,
           std::vector<cudnnConvolutionMode_t>{CUDNN_CROSS_CORRELATION})
      .set_integers(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2})
      .set_integers(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {1, 1})
      .set_integers(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {1, 1})
      .set_integers(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {1, 1})
      .set_integers(CUDNN_ATTR_CONVOLUTION_DILATIONS, {1, 1})
      .finalise();
  const auto x = make_tensor(1, {1, 8, 4, 4}, CUDNN_DATA_FLOAT), w = make_tensor(2, {8, 8, 3, 3}, CUDNN_DATA_FLOAT),
             y = make_tensor(3, {1, 8, 4, 3}, CUDNN_DATA_FLOAT);
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, std::vector<float>{1})
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, std::vector<float>{0})
      .set_child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution)
      .set_child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, *x)
      .set_child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, *w)
      .set_child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, *y);
  CHECK_ERROR("does not give a response", operation.finalise());
}

TEST(every_call_can_be_made_to_fail) {
  const Device device;
  for (const char* call : {"cudnnBackendCreateDescriptor", "cudnnBackendSetAttribute", "cudnnBackendFinalize",
                           "cudnnBackendGetAttribute", "cudnnGetStream", "cudnnBackendExecute"}) {
    AddGraph add;
    simCudnnFail(call, 1, CUDNN_STATUS_SUCCESS);
    CHECK(error_of([&] {
            add.graph->build(device.handle());
            run(device, *add.graph, add.pointers());
          }) != "");
    AddGraph again;
    again.graph->build(device.handle());
    run(device, *again.graph, again.pointers());
    CHECK_CLOSE(again.dy.download(), again.expected(), 0);
  }
}

TEST(a_failure_has_the_status_that_was_asked_for) {
  simCudnnFail("cudnn*", 2, CUDNN_STATUS_NOT_SUPPORTED);
  cudnnHandle_t handle;
  CHECK_EQUAL(cudnnCreate(&handle), CUDNN_STATUS_SUCCESS);
  CHECK_EQUAL(cudnnDestroy(handle), CUDNN_STATUS_NOT_SUPPORTED);
  CHECK_EQUAL(cudnnDestroy(handle), CUDNN_STATUS_SUCCESS);
}

TEST(no_descriptor_is_left_behind) {
  const Device device;
  {
    AddGraph add;
    add.graph->build(device.handle());
    run(device, *add.graph, add.pointers());
    CHECK(simCudnnDescriptors() > 0);
  }
  CHECK_EQUAL(simCudnnDescriptors(), 0);
}
