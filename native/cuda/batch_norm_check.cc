#include "cuda/batch_norm_check.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/reals.h"
#include "cuda/kernels.h"
#include "cuda/kernels/verify_convolution.h"

namespace eraserelu::cuda {

namespace {

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

double BatchNormCheck::own_seconds() {
  return seconds_of([this] { launch_own(); });
}

std::vector<double> BatchNormCheck::sample(const void* memory, const TensorDesc& tensor) const {
  const std::int64_t n = tensor.elements(), count = length(n), size = static_cast<std::int64_t>(bytes_of(tensor.dtype));
  const std::vector<std::int64_t> from = begins(n);
  std::vector<char> bytes(from.size() * static_cast<std::size_t>(count * size));
  for (std::size_t i = 0; i < from.size(); ++i)
    check(cudaMemcpyAsync(bytes.data() + static_cast<std::int64_t>(i) * count * size, static_cast<const char*>(memory) + from[i] * size,
                          static_cast<std::size_t>(count * size), cudaMemcpyDeviceToHost, device_.stream),
          "reading the results of a check");
  check(cudaStreamSynchronize(device_.stream), "checking an engine");
  const Reals values(bytes.data(), tensor.dtype);
  std::vector<double> result;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(bytes.size()) / size; ++i) result.push_back(values[i]);
  return result;
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

  double largest = 0;
  std::vector<double> y;
  result = results_.begin();
  for (const BatchNormForm::Operand& operand : form_.operands()) {
    if (!operand.written) continue;
    const void* memory = (result++)->data();
    if (operand.tensor.dtype == DType::u8) {   // behind y
      const std::vector<double> bits = sample_of_bits(memory, form_.x());
      for (std::size_t i = 0; i < bits.size(); ++i)
        if ((bits[i] > 0) != (y[i] > 0)) largest = std::max(largest, 1.0);
      continue;
    }
    const std::vector<double> actual = sample(memory, operand.tensor), expected = sample(own_.at(operand.name).data(), operand.tensor);
    double squares = 0;
    for (const double value : expected) squares += value * value;
    const double size = std::sqrt(squares / static_cast<double>(expected.size()));
    for (std::size_t i = 0; i < actual.size(); ++i) {
      const double error = std::fabs(actual[i] - expected[i]) / std::max({std::fabs(expected[i]), size, 1e-30});
      if (std::isnan(error)) return error;
      largest = std::max(largest, error);
    }
    y = actual;
  }
  return largest;
}

double BatchNormCheck::allowed(bool) const {
  const TensorDesc& x = form_.x();
  if (x.dtype == DType::bf16) return 1e-2;
  if (x.dtype == DType::f16) return 2e-3;
  return std::max(1e-5, 1e-7 * std::sqrt(static_cast<double>(x.elements() / x.shape.back())));
}

}  // namespace eraserelu::cuda
