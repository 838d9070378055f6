#include "cuda/convolution_check.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/error.h"
#include "base/philox.h"

namespace eraserelu::cuda {

namespace {

constexpr std::int64_t kSamples = 512;
constexpr std::uint64_t kSeed = 0x5eed;

/// The shapes of x, w and y for so many images.
struct Shapes {
  Shape x, w, y;
};

Shapes shapes_of(const ConvolutionForm& form, std::int64_t images) {
  const OpDesc& desc = form.desc();
  Shapes shapes;
  switch (form.result()) {
    case ConvolutionResult::y: shapes = {desc.read("x").shape, desc.read("w").shape, desc.write("y").shape}; break;
    case ConvolutionResult::x: shapes = {desc.write("dx").shape, desc.read("w").shape, desc.read("dy").shape}; break;
    case ConvolutionResult::w: shapes = {desc.read("x").shape, desc.write("dw").shape, desc.read("dy").shape}; break;
  }
  shapes.x[0] = shapes.y[0] = images;
  return shapes;
}

ConvolutionSizes sizes_of(const ConvolutionForm& form, std::int64_t images) {
  const auto [x, w, y] = shapes_of(form, images);
  const Windows& windows = form.windows();
  return {images, x[1], x[2], x[3], w[0], w[1], w[2], x[3] / w[3], y[1], y[2],
          windows.stride[0], windows.stride[1], windows.before[0], windows.before[1], windows.dilation[0], windows.dilation[1]};
}

/// Positions in a tensor of n elements: one somewhere in each of equal parts, and both ends.
std::vector<std::int64_t> sample(std::int64_t n) {
  const std::int64_t count = std::min(n, kSamples);
  std::vector<std::int64_t> positions;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t begin = n * i / count, size = n * (i + 1) / count - begin;
    const double within = philox_uniform(kSeed, 0, 0, static_cast<std::uint64_t>(i));
    positions.push_back(begin + std::min(static_cast<std::int64_t>(within * static_cast<double>(size)), size - 1));
  }
  positions.front() = 0;
  positions.back() = n - 1;
  return positions;
}

std::string form_text(const ConvolutionForm& form, std::int64_t images, bool fused) {
  const Windows& windows = form.windows();
  std::ostringstream text;
  text << form.desc().spec->name;
  for (const ConvolutionForm::Operand& operand : form.operands(fused)) {
    TensorDesc tensor = operand.tensor;
    if (operand.images) tensor = form.part(tensor, images);
    text << operand_text(operand.name, tensor);
  }
  text << " stride" << to_string(windows.stride) << " pad" << to_string(windows.before) << to_string(windows.after) << " dilation"
       << to_string(windows.dilation);
  if (fused && form.activation() == Activation::relu) text << " relu";
  return text.str();
}

}  // namespace

ConvolutionEngineCheck::ConvolutionEngineCheck(const ConvolutionForm& form, std::int64_t images, bool fused, const Device& device)
    : EngineCheck(form.desc(), form_text(form, images, fused), device), form_(form), images_(images), fused_(fused) {}

std::vector<void*> ConvolutionEngineCheck::addresses() {
  if (operands_.empty()) prepare();
  std::vector<void*> addresses;
  for (const DeviceMemory& memory : operands_) addresses.push_back(memory.data());
  return addresses;
}

void ConvolutionEngineCheck::prepare() {
  std::uint64_t seed = kSeed;
  for (const ConvolutionForm::Operand& operand : form_.operands(fused_)) {
    TensorDesc tensor = operand.tensor;
    if (operand.images) tensor.shape[0] = images_;
    operands_.emplace_back(tensor.bytes());
    if (operand.written) continue;
    check(random_values(tensor.dtype, ++seed, operands_.back().data(), tensor.elements(), device_.stream), "making random operands");
  }
}

double ConvolutionEngineCheck::error(const CudnnGraph& graph) {
  const std::vector<ConvolutionForm::Operand> all = form_.operands(fused_);
  TensorDesc result = all.back().tensor;
  if (all.back().images) result.shape[0] = images_;
  const std::vector<std::int64_t> positions = sample(result.elements());
  const std::size_t bytes = positions.size() * sizeof(std::int64_t);
  addresses();
  // Every byte 0xFF is no number in any of the types: what the engine does not write shows.
  check(cudaMemsetAsync(operands_.back().data(), 0xFF, result.bytes(), device_.stream), "filling the result of a check");
  const DeviceMemory workspace(graph.workspace());
  run(graph, workspace);
  check(cudaStreamSynchronize(device_.stream), "running an engine to check it");

  const DeviceMemory samples(bytes), errors(positions.size() * sizeof(double));
  check(cudaMemcpyAsync(samples.data(), positions.data(), bytes, cudaMemcpyHostToDevice, device_.stream), "copying the sample of a check");
  ConvolutionCheck about{};
  const void *first = operands_[0].data(), *second = operands_[1].data(), *written = operands_.back().data();
  switch (form_.result()) {
    case ConvolutionResult::y: about.x = first, about.w = second, about.y = written; break;
    case ConvolutionResult::x: about.y = first, about.w = second, about.x = written; break;
    case ConvolutionResult::w: about.y = first, about.x = second, about.w = written; break;
  }
  for (std::size_t i = 2; i + 1 < all.size(); ++i) {
    if (all[i].images) about.addend = operands_[i].data();
    else about.bias = static_cast<const float*>(operands_[i].data());
  }
  about.activation = fused_ ? form_.activation() : Activation::identity;
  about.samples = static_cast<const std::int64_t*>(samples.data());
  about.count = static_cast<std::int64_t>(positions.size());
  about.errors = static_cast<double*>(errors.data());
  check(verify_convolution(form_.result(), result.dtype, sizes_of(form_, images_), about, device_.stream), "checking an engine");
  std::vector<double> found(positions.size());
  check(cudaMemcpyAsync(found.data(), errors.data(), found.size() * sizeof(double), cudaMemcpyDeviceToHost, device_.stream),
        "reading the errors of a check");
  check(cudaStreamSynchronize(device_.stream), "checking an engine");
  double largest = 0;
  for (const double error : found) {
    if (std::isnan(error)) return error;
    largest = std::max(largest, error);
  }
  return largest;
}

double ConvolutionEngineCheck::allowed(bool rounds) const {
  switch (form_.desc().reads[0].dtype) {
    case DType::bf16: return 1e-2;
    case DType::f16: return 2e-3;
    default: break;
  }
  if (rounds) return 4e-3;
  const ConvolutionSizes sizes = sizes_of(form_, images_);
  const std::int64_t taps = sizes.kernelHeight * sizes.kernelWidth;
  const std::int64_t products = form_.result() == ConvolutionResult::y   ? taps * sizes.channels / sizes.groups
                                : form_.result() == ConvolutionResult::x ? taps * sizes.filters / sizes.groups
                                                                        : images_ * sizes.outHeight * sizes.outWidth;
  return std::max(1e-5, 1e-7 * std::sqrt(static_cast<double>(products)));
}

}  // namespace eraserelu::cuda
