#include "plan/op_checks_pitch.h"

#include <map>

namespace eraserelu {

namespace {

/// src/graph/pitched_operands.ts says the same; a test compares the two.
const std::map<std::string_view, std::string_view> kPitched = {
    {"bnStats", "x"},         {"bnApply", "x"},           {"bnBwdReduce", "x"}, {"bnBwdApply", "x"},
    {"batchNormInfer", "x"},  {"batchNormInferBwd", "x"}, {"concat", "x y"},    {"slice", "x"},
};
const std::map<std::string_view, std::string_view> kPitchedOnCpu = {{"add", "a b y"}};

}  // namespace

std::string_view pitched_operands(std::string_view op, bool onGpu) {
  if (const auto found = kPitched.find(op); found != kPitched.end()) return found->second;
  const auto found = kPitchedOnCpu.find(op);
  return found == kPitchedOnCpu.end() || onGpu ? std::string_view() : found->second;
}

void check_pitches(const Node& node, std::string_view op, bool onGpu) {
  const std::string_view allowed = pitched_operands(op, onGpu);
  for (const Operand& operand : node.operands()) {
    const TensorDesc& tensor = *operand.tensor;
    if (!tensor.present || !tensor.pitched()) continue;
    require(names(allowed, operand.name), operand.name, " must be dense", onGpu ? " on a GPU" : "", ", but a pixel of it is ", tensor.pitch,
            " elements from the next");
    require(!tensor.shape.empty() && tensor.pitch >= tensor.shape.back(), operand.name, " has pixels of ", to_string(tensor.shape),
            " that overlap: they are ", tensor.pitch, " elements from each other");
    if (op == "concat")
      require(node.attributes.integer("axis") + 1 == static_cast<std::int64_t>(tensor.shape.size()), operand.name,
              " must be dense where the axis is not that of the channels");
  }
}

}  // namespace eraserelu
