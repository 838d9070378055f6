#include "cuda/batch_norm_check.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string_view>

#include "base/reals.h"
#include "cuda/kernels.h"
#include "cuda/kernels/batch_norm_forward.h"
#include "cuda/kernels/verify_convolution.h"

namespace eraserelu::cuda {

namespace {

/// Changes with what our kernels of batch norm cost.
constexpr const char* kOwnKernels = "own kernels 1";

/// x is hard for the statistics in half of its channels: in one the mean is more than a hundred deviations, where the mean of the squares less the square of
/// the mean is off in f32; in one the variance is about epsilon.
constexpr float kOffset = 64;

/// A sample is so many runs of so many elements; eight elements are a byte of a mask.
constexpr std::int64_t kRuns = 32, kRunLength = 64;

/// Where the runs of a sample of n elements begin: spread over all, the first and the last at the ends.
std::vector<std::int64_t> begins(std::int64_t n) {
  if (n <= kRuns * kRunLength) return {0};
  std::vector<std::int64_t> begins;
  for (std::int64_t i = 0; i < kRuns; ++i) begins.push_back((n - kRunLength) / 8 * i / (kRuns - 1) * 8);
  return begins;
}

std::int64_t length(std::int64_t n) { return n <= kRuns * kRunLength ? n : kRunLength; }

template <typename Visit>
void each_operand(const char* names, const std::vector<TensorDesc>& tensors, const Visit& visit) {
  std::istringstream list(names);
  std::size_t i = 0;
  for (std::string name; list >> name && i < tensors.size(); ++i) {
    if (name.back() == '?') name.pop_back();
    visit(name, tensors[i]);
  }
}

}  // namespace

BatchNormCheck::BatchNormCheck(const BatchNormForm& form, Device& device) : EngineCheck(form.second(), form.text(), device), form_(form), gpu_(device) {}

std::vector<void*> BatchNormCheck::addresses() {
  if (!second_) prepare();
  std::vector<void*> addresses;
  auto result = results_.begin();
  for (const BatchNormForm::Operand& operand : form_.operands())
    addresses.push_back(operand.written ? (result++)->data() : own_.at(operand.name).data());
  return addresses;
}

void BatchNormCheck::prepare() {
  own_.clear(), scratchpads_.clear(), results_.clear();   // of an attempt for which there was too little memory
  std::uint64_t seed = 0x5eed;
  const auto allocate = [&](const std::string& name, const TensorDesc& tensor, bool random) {
    if (!tensor.present || own_.count(name) > 0) return;
    void* memory = own_.emplace(name, DeviceMemory(tensor.bytes())).first->second.data();
    if (!random) return;
    // Backward the sign of batch norm is computed twice, by formulas that round differently: the numbers are so few that neither rounds. A mask is any bits.
    const bool bits = tensor.dtype == DType::u8;
    if (bits) check(cudaMemsetAsync(memory, 0x5A, tensor.bytes(), device_.stream), "making random operands");
    const std::int64_t n = bits ? tensor.elements() / 4 : tensor.elements();
    if (n > 0) check(random_values(bits ? DType::f32 : tensor.dtype, ++seed, memory, n, device_.stream, bits ? 0.0f : 8.0f), "making random operands");
  };
  for (const OpDesc* desc : {&form_.first(), &form_.second()}) {
    each_operand(desc->spec->reads, desc->reads, [&](const std::string& name, const TensorDesc& tensor) { allocate(name, tensor, true); });
    each_operand(desc->spec->writes, desc->writes, [&](const std::string& name, const TensorDesc& tensor) { allocate(name, tensor, false); });
  }
  const TensorDesc& x = form_.x();
  if (form_.forward()) {
    const auto factor = static_cast<float>(std::sqrt(3 * form_.epsilon()));   // the variance was a third
    check(vary_channels(x.dtype, own_.at("x").data(), x.elements(), x.shape.back(), kOffset, factor, device_.stream), "making random operands");
  }
  for (const BatchNormForm::Operand& operand : form_.operands())
    if (operand.written) results_.emplace_back(operand.tensor.bytes());
  first_ = bound(form_.first());
  second_ = bound(form_.second());
  launch_own();
}

std::unique_ptr<Kernel> BatchNormCheck::bound(const OpDesc& desc) {
  std::unique_ptr<Kernel> kernel = prepare_kernel(desc, gpu_, Policy());
  Bindings bindings;
  const auto addresses = [&](std::vector<void*>& list) {
    return [&](const std::string& name, const TensorDesc& tensor) { list.push_back(tensor.present ? own_.at(name).data() : nullptr); };
  };
  each_operand(desc.spec->reads, desc.reads, addresses(bindings.reads));
  each_operand(desc.spec->writes, desc.writes, addresses(bindings.writes));
  scratchpads_.emplace_back(kernel->requirements().scratchpad);
  bindings.scratchpad = scratchpads_.back().data();
  kernel->bind(bindings);
  return kernel;
}

void BatchNormCheck::launch_own() {
  const std::int64_t images = form_.x().dim(0);
  first_->launch(0, images);
  second_->launch(0, images);
}

void BatchNormCheck::run(const CudnnGraph& graph, const DeviceMemory& workspace) {
  EngineCheck::run(graph, workspace);
  if (!form_.forward()) return;
  const std::vector<BatchNormForm::Operand>& operands = form_.operands();
  const auto is_invstd = [](const BatchNormForm::Operand& operand) { return operand.name == std::string_view("invstd"); };
  const auto at = std::find_if(operands.begin(), operands.end(), is_invstd) - operands.begin();
  const auto* invstd = static_cast<const float*>(addresses()[static_cast<std::size_t>(at)]);
  check(bn_variance(invstd, form_.epsilon(), static_cast<float*>(own_.at("variance").data()), form_.x().shape.back(), device_.stream),
        "computing the variance of a check");
}

std::string BatchNormCheck::own() const { return kOwnKernels; }

double BatchNormCheck::own_seconds() {
  return seconds_of([this] { launch_own(); });
}

void BatchNormCheck::read(const void* memory, const TensorDesc& tensor, std::int64_t first, std::int64_t count, std::vector<double>& values) const {
  const std::size_t size = bytes_of(tensor.dtype), n = static_cast<std::size_t>(count);
  std::vector<char> bytes(n * size);
  check(cudaMemcpyAsync(bytes.data(), static_cast<const char*>(memory) + static_cast<std::size_t>(first) * size, bytes.size(), cudaMemcpyDeviceToHost,
                        device_.stream),
        "reading the results of a check");
  check(cudaStreamSynchronize(device_.stream), "checking an engine");
  const Reals reals(bytes.data(), tensor.dtype);
  for (std::int64_t i = 0; i < count; ++i) values.push_back(reals[i]);
}

std::vector<double> BatchNormCheck::sample(const void* memory, const TensorDesc& tensor) const {
  std::vector<double> values;
  for (const std::int64_t from : begins(tensor.elements())) read(memory, tensor, from, length(tensor.elements()), values);
  return values;
}

std::vector<double> BatchNormCheck::sample_of_bits(const void* memory, const TensorDesc& like) const {
  const std::int64_t n = like.elements(), count = length(n) / 8;
  std::vector<double> result;
  for (const std::int64_t from : begins(n)) {
    std::vector<unsigned char> bytes(static_cast<std::size_t>(count));
    check(cudaMemcpyAsync(bytes.data(), static_cast<const char*>(memory) + from / 8, bytes.size(), cudaMemcpyDeviceToHost, device_.stream),
          "reading the results of a check");
    check(cudaStreamSynchronize(device_.stream), "checking an engine");
    for (const unsigned char byte : bytes)
      for (int bit = 0; bit < 8; ++bit) result.push_back(byte >> bit & 1);
  }
  return result;
}

double BatchNormCheck::error(const CudnnGraph& graph) {
  addresses();
  auto result = results_.begin();
  for (const BatchNormForm::Operand& operand : form_.operands())
    // Every byte 0xFF is no number in any of the types: what the engine does not write shows.
    if (operand.written) check(cudaMemsetAsync((result++)->data(), 0xFF, operand.tensor.bytes(), device_.stream), "filling the result of a check");
  const DeviceMemory workspace(graph.workspace());
  run(graph, workspace);
  check(cudaStreamSynchronize(device_.stream), "running an engine to check it");

  const auto whole = [&](const char* name, const TensorDesc& tensor) {
    std::vector<double> values;
    read(own_.at(name).data(), tensor, 0, tensor.elements(), values);
    return values;
  };
  // What y is the difference of: where the mean is many deviations, its last digit is many of y's.
  std::vector<double> cancelled;
  if (form_.forward()) {
    const std::vector<double> mean = whole("mean", form_.first().write("mean")), invstd = whole("invstd", form_.first().write("invstd")),
                              gamma = whole("gamma", form_.second().read("gamma"));
    for (std::size_t c = 0; c < mean.size(); ++c) cancelled.push_back(std::fabs(mean[c] * invstd[c] * gamma[c]));
  }

  double largest = 0;   // in parts of what is allowed
  std::vector<double> y;
  result = results_.begin();
  for (const BatchNormForm::Operand& operand : form_.operands()) {
    if (!operand.written) continue;
    const void* memory = (result++)->data();
    if (operand.tensor.dtype == DType::u8) {   // behind y
      const std::vector<double> bits = sample_of_bits(memory, form_.x());
      for (std::size_t i = 0; i < bits.size(); ++i)
        if ((bits[i] > 0) != (y[i] > 0)) largest = std::max(largest, 1 / allowed(false));
      continue;
    }
    const std::vector<double> actual = sample(memory, operand.tensor), expected = sample(own_.at(operand.name).data(), operand.tensor);
    // A sum may be of what cancels out; an inverse standard deviation is not, and it is of a hundred times the size where the variance is about epsilon.
    double squares = 0;
    for (const double value : expected) squares += value * value;
    const double size = operand.name == std::string_view("invstd") ? 0 : std::sqrt(squares / static_cast<double>(expected.size()));
    const std::vector<std::int64_t> from = begins(operand.tensor.elements());
    const std::size_t run = expected.size() / from.size();
    for (std::size_t i = 0; i < actual.size(); ++i) {
      double allowed = limit(operand.tensor.dtype) * std::max({std::fabs(expected[i]), size, 1e-30});
      if (operand.name == std::string_view("y"))
        allowed += limit(DType::f32) * cancelled[(static_cast<std::size_t>(from[i / run]) + i % run) % cancelled.size()];
      const double error = std::fabs(actual[i] - expected[i]) / allowed;
      if (std::isnan(error)) return error;
      largest = std::max(largest, error);
    }
    y = actual;
  }
  return largest * allowed(false);
}

double BatchNormCheck::limit(DType dtype) const {
  if (dtype == DType::bf16) return 1e-2;
  if (dtype == DType::f16) return 2e-3;
  const TensorDesc& x = form_.x();
  return std::max(1e-5, 1e-7 * std::sqrt(static_cast<double>(x.elements() / x.shape.back())));
}

double BatchNormCheck::allowed(bool) const { return limit(form_.x().dtype); }

}  // namespace eraserelu::cuda
