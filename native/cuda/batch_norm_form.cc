#include "cuda/batch_norm_form.h"

#include <sstream>

#include "base/activation.h"
#include "cuda/engine_check.h"

namespace eraserelu::cuda {

namespace {
bool is_relu(const OpDesc& desc) { return activation_named(desc.attributes.text("activation")) == Activation::relu; }
}  // namespace

bool BatchNormForm::fits(const OpDesc& first, const OpDesc& second) {
  const bool forward = first.is("bnStats") && second.is("bnApply");
  if (!forward && !(first.is("bnBwdReduce") && second.is("bnBwdApply"))) return false;
  const TensorDesc& x = first.read("x");
  if (x.shape.size() != 4 || x.pitched()) return false;
  const bool relu = is_relu(second);
  // cuDNN's bits are one run over the tensor; ours begin a byte with every pixel (base/mask.h).
  const auto bits = [&](const TensorDesc& mask) { return !mask.present || x.shape.back() % 8 == 0; };
  if (forward) {
    const bool masks = second.write("mask").present;
    return (!masks || (relu && second.read("residual").present)) && bits(second.write("mask"));
  }
  if (is_relu(first) != relu) return false;
  const bool masks = relu && second.read("mask").present;
  return masks == second.write("dresidual").present && bits(second.read("mask"));
}

BatchNormForm::BatchNormForm(const OpDesc& first, const OpDesc& second)
    : first_(first), second_(second), forward_(first.is("bnStats")), relu_(is_relu(second)) {
  const auto read = [&](const char* name, bool ofFirst) {
    operands_.push_back({name, (ofFirst ? first_ : second_).read(name), false, ofFirst});
  };
  const auto write = [&](const char* name, bool ofFirst) {
    operands_.push_back({name, (ofFirst ? first_ : second_).write(name), true, ofFirst});
  };
  if (forward_) {
    read("x", true), read("gamma", false), read("beta", false);
    if (second_.read("residual").present) read("residual", false);
    write("mean", true), write("invstd", true), write("y", false);
    if (second_.write("mask").present) write("mask", false);
    return;
  }
  const bool masks = second_.write("dresidual").present;
  read("dy", true), read("x", true), read("gamma", true), read("mean", true), read("invstd", true);
  if (masks) read("mask", true), write("dresidual", false);
  else if (relu_) read("beta", true);
  write("dgamma", true), write("dbeta", true), write("dx", false);
}

std::string BatchNormForm::text() const {
  std::ostringstream text;
  text.precision(17);
  text << first_.spec->name << "+" << second_.spec->name;
  for (const Operand& operand : operands_) text << operand_text(operand.name, operand.tensor);
  if (forward_) text << " epsilon" << epsilon();
  if (relu_) text << " relu";
  return text.str();
}

void BatchNormForm::describe(CudnnGraph& graph) const { forward_ ? describe_forward(graph) : describe_backward(graph); }

void BatchNormForm::describe_forward(CudnnGraph& graph) const {
  const auto x = graph.input(first_.read("x")), gamma = graph.input(second_.read("gamma")), beta = graph.input(second_.read("beta"));
  const TensorDesc &residual = second_.read("residual"), &y = second_.write("y");
  const auto added = residual.present ? graph.input(residual) : CudnnGraph::Id();
  const auto norm = graph.batch_norm(x, gamma, beta, static_cast<float>(epsilon()));
  graph.output(norm.mean, first_.write("mean"));
  graph.output(norm.invstd, first_.write("invstd"));
  CudnnGraph::Id result = norm.y;
  if (residual.present) result = graph.add(result, added);
  if (relu_) result = graph.relu(result);
  else if (residual.present) result = graph.unclipped_relu(result);   // behind an addition cuDNN has no engine without an activation
  graph.output(result, y);
  if (second_.write("mask").present) graph.output_bits(graph.positive(result), y);
}

void BatchNormForm::describe_backward(CudnnGraph& graph) const {
  const auto input = [&](const char* name) { return graph.input(first_.read(name)); };
  const auto dy = input("dy"), x = input("x"), gamma = input("gamma"), mean = input("mean"), invstd = input("invstd");
  CudnnGraph::Id gradient = dy;
  if (second_.write("dresidual").present) {
    gradient = graph.masked(dy, graph.input_bits(first_.read("x")));
    graph.output(gradient, second_.write("dresidual"));
  } else if (relu_) {
    gradient = graph.relu_gradient(dy, x, gamma, input("beta"), mean, invstd);
  }
  const auto norm = graph.batch_norm_gradients(gradient, x, gamma, mean, invstd);
  graph.output(norm.dgamma, first_.write("dgamma"));
  graph.output(norm.dbeta, first_.write("dbeta"));
  graph.output(norm.dx, second_.write("dx"));
}

}  // namespace eraserelu::cuda
