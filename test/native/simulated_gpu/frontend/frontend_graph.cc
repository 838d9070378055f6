#include "frontend/frontend_graph.h"

#include <dlfcn.h>

#define NV_CUDNN_FRONTEND_USE_DYNAMIC_LOADING
#include <cudnn_frontend.h>

#include <cstdlib>
#include <stdexcept>

namespace cudnn_frontend {
void* cudnn_dlhandle = nullptr;
}

namespace frontend {
namespace {

namespace fe = cudnn_frontend;
using TensorRef = std::shared_ptr<fe::graph::Tensor_attributes>;

void check(fe::error_t error) {
  if (error.is_bad()) throw std::runtime_error(error.get_message());
}

void check(cudnnStatus_t status, const char* call) {
  if (status != CUDNN_STATUS_SUCCESS) throw std::runtime_error(std::string(call) + ": " + fe::detail::get_error_string(status));
}

fe::DataType_t data_type(Type type) {
  switch (type) {
    case Type::f32: return fe::DataType_t::FLOAT;
    case Type::bf16: return fe::DataType_t::BFLOAT16;
    case Type::f16: return fe::DataType_t::HALF;
    case Type::i8: return fe::DataType_t::INT8;
    default: return fe::DataType_t::BOOLEAN;
  }
}

template <typename Mode>
Mode mode_named(const std::map<std::string, Mode>& modes, const std::string& name) {
  const auto entry = modes.find(name);
  if (entry == modes.end()) throw std::runtime_error("no mode " + name);
  return entry->second;
}

fe::PointwiseMode_t pointwise_named(const std::string& name) {
  using Mode = fe::PointwiseMode_t;
  static const std::map<std::string, Mode> modes = {{"add", Mode::ADD},
                                                    {"mul", Mode::MUL},
                                                    {"sub", Mode::SUB},
                                                    {"div", Mode::DIV},
                                                    {"max", Mode::MAX},
                                                    {"min", Mode::MIN},
                                                    {"sqrt", Mode::SQRT},
                                                    {"rsqrt", Mode::RSQRT},
                                                    {"exp", Mode::EXP},
                                                    {"log", Mode::LOG},
                                                    {"abs", Mode::ABS},
                                                    {"neg", Mode::NEG},
                                                    {"identity", Mode::IDENTITY},
                                                    {"tanh_fwd", Mode::TANH_FWD},
                                                    {"sigmoid_fwd", Mode::SIGMOID_FWD},
                                                    {"swish_fwd", Mode::SWISH_FWD},
                                                    {"sigmoid_bwd", Mode::SIGMOID_BWD},
                                                    {"tanh_bwd", Mode::TANH_BWD},
                                                    {"cmp_gt", Mode::CMP_GT},
                                                    {"cmp_ge", Mode::CMP_GE},
                                                    {"cmp_lt", Mode::CMP_LT},
                                                    {"cmp_le", Mode::CMP_LE},
                                                    {"cmp_eq", Mode::CMP_EQ},
                                                    {"cmp_neq", Mode::CMP_NEQ},
                                                    {"binary_select", Mode::BINARY_SELECT}};
  return mode_named(modes, name);
}

Dims channels_last_strides(const Dims& dims, std::int64_t pitch) {
  Dims strides(dims.size());
  strides[1] = 1;
  std::int64_t stride = pitch == 0 ? dims[1] : pitch;
  for (std::size_t axis = dims.size(); axis-- > 2; stride *= dims[axis]) strides[axis] = stride;
  strides[0] = stride;
  return strides;
}

}  // namespace

void open_library(const std::string& path) {
  // Otherwise cudnn-frontend would prefer a libcudart.so.12 that happens to be on the system.
  setenv("CUDNN_FRONTEND_CUDART_LIB_NAME", "libcudart.so.13", 1);
  cudnn_frontend::cudnn_dlhandle = dlopen(path.c_str(), RTLD_NOW);
  if (cudnn_frontend::cudnn_dlhandle == nullptr) throw std::runtime_error(dlerror());
}

Handle::Handle(void* stream) {
  cudnnHandle_t handle = nullptr;
  check(fe::detail::create_handle(&handle), "cudnnCreate");
  handle_ = handle;
  check(fe::detail::set_stream(handle, static_cast<cudaStream_t>(stream)), "cudnnSetStream");
}

Handle::~Handle() { fe::detail::destroy_handle(static_cast<cudnnHandle_t>(handle_)); }

struct Graph::Implementation {
  fe::graph::Graph graph;
  std::vector<TensorRef> tensors;   // by id
  std::shared_ptr<fe::DeviceProperties> device;

  Id add(const TensorRef& tensor) {
    if (tensor == nullptr) return -1;
    tensor->set_uid(static_cast<Id>(tensors.size()));
    tensors.push_back(tensor);
    return static_cast<Id>(tensors.size()) - 1;
  }
  const TensorRef& at(Id id) const { return tensors.at(static_cast<std::size_t>(id)); }
};

Graph::Graph(Type io) : self_(std::make_unique<Implementation>()) {
  self_->graph.set_io_data_type(data_type(io)).set_compute_data_type(fe::DataType_t::FLOAT);
  set_intermediate(Type::f32);
}

Graph::~Graph() = default;

void Graph::set_intermediate(Type type) { self_->graph.set_intermediate_data_type(data_type(type)); }

Id Graph::tensor(const Dims& dims, Type type, std::int64_t pitch) {
  return self_->add(self_->graph.tensor(fe::graph::Tensor_attributes()
                                            .set_dim(dims)
                                            .set_stride(channels_last_strides(dims, pitch))
                                            .set_data_type(data_type(type))));
}

Id Graph::scalar(float value) { return self_->add(self_->graph.tensor(value)); }

Id Graph::host_scalar() {
  auto attributes =
      fe::graph::Tensor_attributes().set_dim({1, 1, 1, 1}).set_stride({1, 1, 1, 1}).set_data_type(fe::DataType_t::FLOAT);
  return self_->add(self_->graph.tensor(attributes.set_is_pass_by_value(true)));
}

Id Graph::convolution(Id x, Id w, const Window& window) {
  return self_->add(self_->graph.conv_fprop(self_->at(x), self_->at(w),
                                            fe::graph::Conv_fprop_attributes()
                                                .set_pre_padding(window.pre)
                                                .set_post_padding(window.post)
                                                .set_stride(window.stride)
                                                .set_dilation(window.dilation)));
}

Id Graph::convolution_data(Id dy, Id w, const Dims& dims, const Window& window) {
  const TensorRef dx = self_->graph.conv_dgrad(self_->at(dy), self_->at(w),
                                               fe::graph::Conv_dgrad_attributes()
                                                   .set_pre_padding(window.pre)
                                                   .set_post_padding(window.post)
                                                   .set_stride(window.stride)
                                                   .set_dilation(window.dilation));
  dx->set_dim(dims).set_stride(channels_last_strides(dims, 0));
  return self_->add(dx);
}

Id Graph::convolution_filter(Id dy, Id x, const Dims& dims, const Window& window) {
  const TensorRef dw = self_->graph.conv_wgrad(self_->at(dy), self_->at(x),
                                               fe::graph::Conv_wgrad_attributes()
                                                   .set_pre_padding(window.pre)
                                                   .set_post_padding(window.post)
                                                   .set_stride(window.stride)
                                                   .set_dilation(window.dilation));
  dw->set_dim(dims).set_stride(channels_last_strides(dims, 0));
  return self_->add(dw);
}

Id Graph::pointwise(const std::string& mode, const std::vector<Id>& operands) {
  const auto attributes = fe::graph::Pointwise_attributes().set_mode(pointwise_named(mode));
  auto& graph = self_->graph;
  if (operands.size() == 1) return self_->add(graph.pointwise(self_->at(operands[0]), attributes));
  if (operands.size() == 2) return self_->add(graph.pointwise(self_->at(operands[0]), self_->at(operands[1]), attributes));
  return self_->add(graph.pointwise(self_->at(operands.at(0)), self_->at(operands.at(1)), self_->at(operands.at(2)), attributes));
}

namespace {

fe::graph::Pointwise_attributes relu_attributes(fe::PointwiseMode_t mode, const Clip& clip) {
  auto attributes = fe::graph::Pointwise_attributes().set_mode(mode);
  attributes.set_relu_lower_clip(clip.lower).set_relu_upper_clip(clip.upper).set_relu_lower_clip_slope(clip.slope);
  return attributes;
}

}  // namespace

Id Graph::relu(Id x, const Clip& clip) {
  return self_->add(self_->graph.pointwise(self_->at(x), relu_attributes(fe::PointwiseMode_t::RELU_FWD, clip)));
}

Id Graph::relu_backward(Id dy, Id x, const Clip& clip) {
  return self_->add(self_->graph.pointwise(self_->at(dy), self_->at(x), relu_attributes(fe::PointwiseMode_t::RELU_BWD, clip)));
}

Norm Graph::batch_norm(Id x, Id scale, Id bias, float epsilon, const std::optional<Running>& running) {
  TensorRef epsilonTensor = self_->at(scalar(epsilon));
  auto attributes = fe::graph::Batchnorm_attributes().set_epsilon(epsilonTensor);
  if (running) {
    TensorRef mean = self_->at(running->mean), variance = self_->at(running->variance), momentum = self_->at(running->momentum);
    attributes.set_previous_running_stats(mean, variance, momentum);
  }
  const auto [y, mean, inverse, nextMean, nextVariance] =
      self_->graph.batchnorm(self_->at(x), self_->at(scale), self_->at(bias), attributes);
  return {self_->add(y), self_->add(mean), self_->add(inverse), self_->add(nextMean), self_->add(nextVariance)};
}

Id Graph::batch_norm_inference(Id x, Id mean, Id inverse, Id scale, Id bias) {
  return self_->add(self_->graph.batchnorm_inference(self_->at(x), self_->at(mean), self_->at(inverse), self_->at(scale),
                                                     self_->at(bias), fe::graph::Batchnorm_inference_attributes()));
}

NormGradients Graph::batch_norm_backward(Id dy, Id x, Id scale, Id mean, Id inverse) {
  TensorRef meanTensor = self_->at(mean), inverseTensor = self_->at(inverse);
  const auto attributes = fe::graph::Batchnorm_backward_attributes().set_saved_mean_and_inv_variance(meanTensor, inverseTensor);
  const auto [dx, dscale, dbias] = self_->graph.batchnorm_backward(self_->at(dy), self_->at(x), self_->at(scale), attributes);
  return {self_->add(dx), self_->add(dscale), self_->add(dbias)};
}

Pooled Graph::pool(const std::string& mode, Id x, const Window& window, bool index) {
  static const std::map<std::string, fe::ResampleMode_t> modes = {{"max", fe::ResampleMode_t::MAXPOOL},
                                                                  {"avg_include", fe::ResampleMode_t::AVGPOOL_INCLUDE_PADDING},
                                                                  {"avg_exclude", fe::ResampleMode_t::AVGPOOL_EXCLUDE_PADDING}};
  const auto attributes = fe::graph::Resample_attributes()
                              .set_generate_index(index)
                              .set_resampling_mode(mode_named(modes, mode))
                              .set_padding_mode(mode == "max" ? fe::PaddingMode_t::NEG_INF_PAD : fe::PaddingMode_t::ZERO_PAD)
                              .set_window(window.size)
                              .set_stride(window.stride)
                              .set_pre_padding(window.pre)
                              .set_post_padding(window.post);
  const auto [y, indices] = self_->graph.resample(self_->at(x), attributes);
  return {self_->add(y), self_->add(indices)};
}

Id Graph::reduce(const std::string& mode, Id x, const Dims& dims) {
  static const std::map<std::string, fe::ReductionMode_t> modes = {{"add", fe::ReductionMode_t::ADD},
                                                                   {"mul", fe::ReductionMode_t::MUL},
                                                                   {"min", fe::ReductionMode_t::MIN},
                                                                   {"max", fe::ReductionMode_t::MAX},
                                                                   {"avg", fe::ReductionMode_t::AVG}};
  const TensorRef y = self_->graph.reduction(self_->at(x), fe::graph::Reduction_attributes().set_mode(mode_named(modes, mode)));
  y->set_dim(dims).set_stride(channels_last_strides(dims, 0));
  return self_->add(y);
}

Id Graph::output(Id id, Type type) {
  self_->at(id)->set_output(true).set_data_type(data_type(type));
  return id;
}

Id Graph::output(Id id, Type type, const Dims& dims, std::int64_t pitch) {
  self_->at(id)->set_dim(dims).set_stride(channels_last_strides(dims, pitch));
  return output(id, type);
}

void Graph::build(const Handle& handle, bool deterministic) {
  fe::graph::Graph& graph = self_->graph;
  const auto cudnn = static_cast<cudnnHandle_t>(handle.get());
  check(graph.validate());
  check(graph.build_operation_graph(cudnn));
  check(graph.create_execution_plans({fe::HeurMode_t::A}));
  if (deterministic) graph.deselect_numeric_notes({fe::NumericalNote_t::NONDETERMINISTIC});
  check(graph.check_support());
  check(graph.build_plans(fe::BuildPlanPolicy_t::ALL));
}

void Graph::lower(const std::string& deviceProperties, int architecture) {
  self_->device = std::make_shared<fe::DeviceProperties>();
  check(self_->device->deserialize(std::vector<std::uint8_t>(deviceProperties.begin(), deviceProperties.end())));
  self_->graph.set_device_properties(self_->device).set_sm_version(architecture);
  check(self_->graph.validate());
  check(self_->graph.build_operation_graph());
}

std::int64_t Graph::supported_plans(const std::string& deviceProperties, int architecture) {
  lower(deviceProperties, architecture);
  if (self_->graph.create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}).is_bad()) return 0;
  if (self_->graph.check_support().is_bad()) return 0;
  return self_->graph.get_execution_plan_count();
}

std::int64_t Graph::plans() const { return self_->graph.get_execution_plan_count(); }

std::string Graph::plan_name(std::int64_t plan) const {
  std::string name;
  check(self_->graph.get_plan_name_at_index(plan, name));
  return name;
}

std::int64_t Graph::workspace(std::int64_t plan) const { return self_->graph.get_workspace_size_plan_at_index(plan); }

void Graph::execute(const Handle& handle, const std::map<Id, void*>& pointers, void* workspace, std::int64_t plan) const {
  std::unordered_map<std::int64_t, void*> pack(pointers.begin(), pointers.end());
  check(self_->graph.execute_plan_at_index(static_cast<cudnnHandle_t>(handle.get()), pack, workspace, plan));
}

Blob Graph::serialise() const {
  Blob blob;
  check(self_->graph.serialize(blob));
  return blob;
}

std::unique_ptr<Graph> Graph::from(const Handle& handle, const Blob& blob) {
  auto graph = std::make_unique<Graph>(Type::f32);
  check(graph->self_->graph.deserialize(static_cast<cudnnHandle_t>(handle.get()), blob));
  return graph;
}

}  // namespace frontend
