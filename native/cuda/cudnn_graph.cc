#include "cuda/cudnn_graph.h"

#include <dlfcn.h>

#include <algorithm>
#include <cfloat>
#include <cstdlib>

#define NV_CUDNN_FRONTEND_USE_DYNAMIC_LOADING
#define CUDNN_FRONTEND_SKIP_JSON_LIB   // graphs as text, which nobody reads here, are half of the time this file takes to compile
#include <cudnn_frontend.h>

#include "backend/nvidia_library.h"
#include "base/error.h"

namespace cudnn_frontend {
void* cudnn_dlhandle = nullptr;
}

namespace eraserelu::cuda {

namespace fe = cudnn_frontend;
using Tensor = std::shared_ptr<fe::graph::Tensor_attributes>;

namespace {

void check(cudnnStatus_t status, const char* call) {
  if (status != CUDNN_STATUS_SUCCESS) fail(ErrorCode::DeviceError, call, ": ", fe::detail::get_error_string(status));
}

fe::DataType_t data_type(DType dtype) {
  switch (dtype) {
    case DType::f32: return fe::DataType_t::FLOAT;
    case DType::bf16: return fe::DataType_t::BFLOAT16;
    case DType::f16: return fe::DataType_t::HALF;
    default: fail(ErrorCode::Unsupported, "cuDNN computes with no tensors of type ", name_of(dtype));
  }
}

/// cuDNN's order of dimensions, N, C, H, W, with strides that say that channels lie next to one another.
void describe(fe::graph::Tensor_attributes& attributes, const TensorDesc& tensor) {
  const Shape& s = tensor.shape;
  const Shape nhwc = s.size() == 1 ? Shape{1, 1, 1, s[0]} : s;
  const std::int64_t height = nhwc[1], width = nhwc[2], channels = nhwc[3];
  attributes.set_dim({nhwc[0], channels, height, width})
      .set_stride({height * width * channels, 1, width * channels, channels})
      .set_data_type(data_type(tensor.dtype))
      .set_alignment(std::min<std::int64_t>(tensor.alignment, 16));   // more than 16 helps no engine
}

template <typename ConvolutionAttributes>
ConvolutionAttributes with(const Windows& windows) {
  ConvolutionAttributes attributes;
  attributes.set_pre_padding(windows.before).set_post_padding(windows.after).set_stride(windows.stride).set_dilation(windows.dilation);
  return attributes;
}

}  // namespace

std::string open_cudnn(const std::string& beside) {
  // Else cudnn-frontend would prefer a libcudart.so.12 that happens to be on the system.
  setenv("CUDNN_FRONTEND_CUDART_LIB_NAME", "libcudart.so.13", 0);
  std::string problem;
  for (const char* needed : {"libnvrtc.so.13", "libcublasLt.so.13"}) open_nvidia_library(needed, beside, problem);   // if cuDNN asks for them
  problem.clear();
  fe::cudnn_dlhandle = open_nvidia_library("libcudnn.so.9", beside, problem);
  return problem;
}

std::string cudnn_version() {
  const std::size_t version = fe::detail::get_backend_version();
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." + std::to_string(version % 100);
}

cudnnContext* create_cudnn(cudaStream_t stream) {
  cudnnHandle_t handle = nullptr;
  check(fe::detail::create_handle(&handle), "cudnnCreate");
  check(fe::detail::set_stream(handle, stream), "cudnnSetStream");
  return handle;
}

namespace {

void ask(fe::error_t error) {
  if (error.is_good()) return;
  std::string words = error.get_message();
  std::replace(words.begin(), words.end(), '\n', ' ');
  throw CudnnRefusal(words);
}

/// Makes a graph one for a GPU that is not here.
void describe(fe::graph::Graph& graph, const std::string& properties) {
  auto device = std::make_shared<fe::DeviceProperties>();
  ask(device->deserialize(std::vector<std::uint8_t>(properties.begin(), properties.end())));
  const std::string key = "\"deviceVer\":";   // 100 * major + 10 * minor
  graph.set_device_properties(device).set_sm_version(std::stoi(properties.substr(properties.find(key) + key.size())) / 10);
}

/// cudnn-frontend filters by numerical notes but does not tell them.
class Graph final : public fe::graph::Graph {
 public:
  bool has(std::size_t plan, fe::NumericalNote_t note) const {
    const auto& notes = plans.numeric_notes.at(plan);
    return std::find(notes.begin(), notes.end(), note) != notes.end();
  }
};

}  // namespace

struct CudnnGraph::Parts {
  Graph graph;
  fe::DataType_t io;
  bool described = false;   // the device is not here: plans are chosen, not built
  std::size_t chosen = 0;
  std::vector<Tensor> tensors;   // by Id, which is cuDNN's unique id too

  Id add(const Tensor& tensor) {
    tensor->set_uid(static_cast<std::int64_t>(tensors.size()));
    tensors.push_back(tensor);
    return tensors.size() - 1;
  }
};

CudnnGraph::CudnnGraph(DType io) : parts_(new Parts) {
  parts_->io = data_type(io);
  parts_->graph.set_io_data_type(parts_->io)
      .set_intermediate_data_type(fe::DataType_t::FLOAT)
      .set_compute_data_type(fe::DataType_t::FLOAT);
}

CudnnGraph::~CudnnGraph() = default;

CudnnGraph::Id CudnnGraph::input(const TensorDesc& tensor) {
  fe::graph::Tensor_attributes attributes;
  describe(attributes, tensor);
  return parts_->add(parts_->graph.tensor(attributes));
}

void CudnnGraph::output(Id result, const TensorDesc& tensor) {
  describe(*parts_->tensors[result], tensor);
  parts_->tensors[result]->set_output(true);
}

CudnnGraph::Id CudnnGraph::input_bits(const TensorDesc& like) {
  fe::graph::Tensor_attributes attributes;
  describe(attributes, like);
  return parts_->add(parts_->graph.tensor(attributes.set_data_type(fe::DataType_t::BOOLEAN)));
}

void CudnnGraph::output_bits(Id result, const TensorDesc& like) {
  output(result, like);
  parts_->tensors[result]->set_data_type(fe::DataType_t::BOOLEAN);
}

CudnnGraph::Id CudnnGraph::convolution(Id x, Id w, const Windows& windows) {
  return parts_->add(
      parts_->graph.conv_fprop(parts_->tensors[x], parts_->tensors[w], with<fe::graph::Conv_fprop_attributes>(windows)));
}

CudnnGraph::Id CudnnGraph::convolution_data(Id dy, Id w, const Windows& windows, const TensorDesc& dx) {
  const Tensor result =
      parts_->graph.conv_dgrad(parts_->tensors[dy], parts_->tensors[w], with<fe::graph::Conv_dgrad_attributes>(windows));
  TensorDesc sum = dx;
  sum.dtype = DType::f32;   // what is fused to it reads the sum before it is rounded; output() says the type in memory
  describe(*result, sum);
  return parts_->add(result);
}

CudnnGraph::Id CudnnGraph::convolution_filter(Id dy, Id x, const Windows& windows, const TensorDesc& dw) {
  const Tensor result =
      parts_->graph.conv_wgrad(parts_->tensors[dy], parts_->tensors[x], with<fe::graph::Conv_wgrad_attributes>(windows));
  describe(*result, dw);
  return parts_->add(result);
}

CudnnGraph::Id CudnnGraph::add(Id a, Id b) {
  const auto attributes = fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::ADD);
  return parts_->add(parts_->graph.pointwise(parts_->tensors[a], parts_->tensors[b], attributes));
}

CudnnGraph::Id CudnnGraph::relu(Id x) {
  const auto attributes = fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::RELU_FWD);
  return parts_->add(parts_->graph.pointwise(parts_->tensors[x], attributes));
}

CudnnGraph::Id CudnnGraph::unclipped_relu(Id x) {
  const auto attributes = fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::RELU_FWD).set_relu_lower_clip(-FLT_MAX);
  return parts_->add(parts_->graph.pointwise(parts_->tensors[x], attributes));
}

CudnnGraph::Norm CudnnGraph::batch_norm(Id x, Id gamma, Id beta, float epsilon) {
  auto& tensors = parts_->tensors;
  Tensor constant = parts_->graph.tensor(epsilon);
  const auto attributes = fe::graph::Batchnorm_attributes().set_epsilon(constant);
  const auto results = parts_->graph.batchnorm(tensors[x], tensors[gamma], tensors[beta], attributes);
  const Id mean = parts_->add(results[1]), invstd = parts_->add(results[2]);
  return {mean, invstd, parts_->add(results[0])};
}

CudnnGraph::Id CudnnGraph::positive(Id y) {
  const auto attributes = fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::CMP_GT);
  return parts_->add(parts_->graph.pointwise(parts_->tensors[y], parts_->graph.tensor(0.0f), attributes));
}

CudnnGraph::Id CudnnGraph::masked(Id dy, Id bits) {
  const auto attributes = fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::MUL);
  return parts_->add(parts_->graph.pointwise(parts_->tensors[dy], parts_->tensors[bits], attributes));
}

CudnnGraph::Id CudnnGraph::relu_gradient(Id dy, Id x, Id gamma, Id beta, Id mean, Id invstd) {
  auto& tensors = parts_->tensors;
  const Tensor y = parts_->graph.batchnorm_inference(tensors[x], tensors[mean], tensors[invstd], tensors[gamma], tensors[beta],
                                                     fe::graph::Batchnorm_inference_attributes());
  y->set_data_type(parts_->io);   // what is not in memory must have the type of what is: support_table.txt
  parts_->add(y);
  const auto attributes = fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::RELU_BWD);
  const Tensor gradient = parts_->graph.pointwise(tensors[dy], y, attributes);
  gradient->set_data_type(parts_->io);
  return parts_->add(gradient);
}

CudnnGraph::NormGradients CudnnGraph::batch_norm_gradients(Id dy, Id x, Id gamma, Id mean, Id invstd) {
  auto& tensors = parts_->tensors;
  const auto attributes = fe::graph::Batchnorm_backward_attributes().set_saved_mean_and_inv_variance(tensors[mean], tensors[invstd]);
  const auto results = parts_->graph.batchnorm_backward(tensors[dy], tensors[x], tensors[gamma], attributes);
  const Id dgamma = parts_->add(results[1]), dbeta = parts_->add(results[2]);
  return {dgamma, dbeta, parts_->add(results[0])};
}

void CudnnGraph::propose(const Device& device) {
  Graph& graph = parts_->graph;
  parts_->described = !device.described.empty();
  if (parts_->described) describe(graph, device.described);
  ask(graph.validate());
  ask(parts_->described ? graph.build_operation_graph() : graph.build_operation_graph(device.cudnn));
  ask(graph.create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}));
}

std::size_t CudnnGraph::candidates() const { return static_cast<std::size_t>(parts_->graph.get_execution_plan_count()); }

EngineCandidate CudnnGraph::candidate(std::size_t index) const {
  using Note = fe::NumericalNote_t;
  const Graph& graph = parts_->graph;
  EngineCandidate candidate;
  ask(graph.get_plan_name_at_index(static_cast<std::int64_t>(index), candidate.name));
  candidate.deterministic = !graph.has(index, Note::NONDETERMINISTIC);
  candidate.rounds = graph.has(index, Note::TENSOR_CORE) || graph.has(index, Note::DOWN_CONVERT_INPUTS);
  return candidate;
}

void CudnnGraph::build(std::size_t index, std::int64_t workspaceLimit) {
  parts_->chosen = index;
  if (parts_->described) return;   // cuDNN has accepted its configuration; code for the GPU cannot be loaded here
  if (workspaceLimit >= 0) parts_->graph.deselect_workspace_greater_than(workspaceLimit);
  ask(parts_->graph.build_plan_at_index(static_cast<std::int64_t>(index)));
}

std::size_t CudnnGraph::workspace() const {
  return parts_->described ? 0 : static_cast<std::size_t>(parts_->graph.get_workspace_size());
}

std::string CudnnGraph::engine() const {
  if (parts_->described) return candidate(parts_->chosen).name;
  std::string name;
  return parts_->graph.get_plan_name(name).is_good() ? name : "";
}

void CudnnGraph::execute(const Device& device, std::vector<void*>& addresses, void* workspace) const {
  fe::error_t error = parts_->graph.execute(device.cudnn, addresses.data(), static_cast<int>(addresses.size()), workspace);
  if (error.is_bad()) throw std::runtime_error(error.get_message());
}

}  // namespace eraserelu::cuda
