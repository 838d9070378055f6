#include "cuda/convolution_form.h"

#include <algorithm>

#include "base/error.h"

namespace eraserelu::cuda {

namespace {
ConvolutionResult result_of(const OpDesc& desc) {
  if (desc.is("conv2d")) return ConvolutionResult::y;
  if (desc.is("conv2dBwdData")) return ConvolutionResult::x;
  if (desc.is("conv2dBwdFilter")) return ConvolutionResult::w;
  fail(ErrorCode::Internal, desc.to_string(), " is no convolution");
}
}  // namespace

ConvolutionForm::ConvolutionForm(const OpDesc& desc) : desc_(desc), result_(result_of(desc)) {
  if (result_ == ConvolutionResult::y) activation_ = activation_named(desc.attributes.text("activation"));
  const Shape pad = desc.attributes.integers("pad");
  windows_ = {desc.attributes.integers("stride"), desc.attributes.integers("dilation"), {pad[0], pad[2]}, {pad[1], pad[3]}};
  batch_ = desc.reads[0].dim(0);   // x or dy
  images_ = desc.chunk > 0 ? std::min(desc.chunk, batch_) : batch_;
}

std::vector<std::int64_t> ConvolutionForm::launches() const {
  std::vector<std::int64_t> counts = {images_};
  if (batch_ % images_ != 0) counts.push_back(batch_ % images_);
  return counts;
}

bool ConvolutionForm::fusible() const {
  if (result_ == ConvolutionResult::w) return false;
  if (result_ == ConvolutionResult::x) return desc_.read("addend").present;
  return desc_.read("bias").present || desc_.read("residual").present || activation_ == Activation::relu;
}

std::vector<ConvolutionForm::Operand> ConvolutionForm::operands(bool fused) const {
  std::vector<Operand> operands;
  const auto read = [&](const char* name, bool images) { operands.push_back({name, desc_.read(name), images, false}); };
  const auto write = [&](const char* name, bool images) { operands.push_back({name, desc_.write(name), images, true}); };
  switch (result_) {
    case ConvolutionResult::y:
      read("x", true), read("w", false);
      if (fused && desc_.read("bias").present) read("bias", false);
      if (fused && desc_.read("residual").present) read("residual", true);
      write("y", true);
      break;
    case ConvolutionResult::x:
      read("dy", true), read("w", false);
      if (fused && desc_.read("addend").present) read("addend", true);
      write("dx", true);
      break;
    case ConvolutionResult::w:
      read("dy", true), read("x", true);
      write("dw", false);
      break;
  }
  return operands;
}

TensorDesc ConvolutionForm::part(const TensorDesc& activation, std::int64_t count) const {
  TensorDesc part = activation;
  part.shape[0] = images_;
  const std::int64_t step = static_cast<std::int64_t>(part.bytes());   // between launches
  if (images_ < batch_) part.alignment = std::min(part.alignment, step & -step);
  part.shape[0] = count;
  return part;
}

void ConvolutionForm::describe(CudnnGraph& graph, std::int64_t count, bool fused) const {
  const auto tensor = [&](const Operand& operand) { return operand.images ? part(operand.tensor, count) : operand.tensor; };
  const std::vector<Operand> all = operands(fused);
  const auto first = graph.input(tensor(all[0]));
  const auto second = graph.input(tensor(all[1]));
  const TensorDesc written = tensor(all.back());
  CudnnGraph::Id result = result_ == ConvolutionResult::y   ? graph.convolution(first, second, windows_)
                          : result_ == ConvolutionResult::x ? graph.convolution_data(first, second, windows_, written)
                                                            : graph.convolution_filter(first, second, windows_, written);
  for (std::size_t i = 2; i + 1 < all.size(); ++i) result = graph.add(result, graph.input(tensor(all[i])));
  if (fused && activation_ == Activation::relu) result = graph.relu(result);
  graph.output(result, written);
}

}  // namespace eraserelu::cuda
