#include "plan/op_checks_types.h"

#include <map>
#include <set>

namespace eraserelu {

namespace {

/// src/graph/typed_operands.ts says the same; a test compares the two.
const std::map<std::string_view, std::string_view> kTyped = {
    {"conv2d", "x w residual y"},
    {"conv2dBwdData", "dy w addend dx"},
    {"conv2dBwdFilter", "dy x dw"},
    {"biasBwd", "dy"},
    {"bnStats", "x"},
    {"bnApply", "x residual y"},
    {"bnBwdReduce", "dy x"},
    {"bnBwdApply", "dy x dx dresidual"},
    {"bnRunningUpdate", ""},
    {"batchNormInfer", "x residual y"},
    {"batchNormInferBwd", "dy x dx dresidual"},
    {"maxPool", "x y"},
    {"maxPoolBwd", "dy dx"},
    {"avgPool", "x y"},
    {"avgPoolBwd", "dy dx"},
    {"globalAvgPool", "x y"},
    {"globalAvgPoolBwd", "dy dx"},
    {"shortcutA", "x y"},
    {"shortcutABwd", "dy dx"},
    {"relu", "x y"},
    {"reluBwd", "dy y dx"},
    {"add", "a b y"},
    {"concat", "x y"},
    {"slice", "x y"},
    {"sliceBwd", "dy dx"},
    {"dropout", "x y"},
    {"dropoutBwd", "dy dx"},
    {"scaleSamples", "x y"},
    {"pointwise", "a b y"},
    {"reduce", "x y"},
    {"cast", ""},
    {"fill", "y"},
    {"sum", "x"},
    {"softmaxCrossEntropy", "logits dlogits"},
    {"imageInput", "x"},
    {"gatherImages", "x"},
    {"gradNorm", "gradient"},
    {"sgdUpdate", "gradient"},
    {"adamwUpdate", "gradient"},
    {"emaUpdate", ""},
};

bool is_float(DType dtype) { return dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f16; }

/// The type of an operand that has its own.
DType fixed_type(const std::string& operand) {
  static const std::set<std::string> kI32 = {"labels", "labels2", "offsets", "cutouts", "indices"};
  static const std::set<std::string> kU8 = {"images", "dataset", "flips", "mask", "argmax"};
  return kI32.count(operand) ? DType::i32 : kU8.count(operand) ? DType::u8 : DType::f32;
}

}  // namespace

std::string_view typed_operands(std::string_view op) { return kTyped.at(op); }

void check_types(const Node& node, std::string_view op) {
  if (op == "cast") return;
  const std::string_view typed = typed_operands(op);
  const Operand* first = nullptr;   // of those that share the operation's type
  for (const Operand& operand : node.operands()) {
    if (!operand.tensor->present) continue;
    const DType dtype = operand.tensor->dtype;
    if (!names(typed, operand.name)) {
      const DType wanted = fixed_type(operand.name);
      const bool advise = wanted == DType::f32 && is_float(dtype);
      require(dtype == wanted, operand.name, " must be ", name_of(wanted), ", not ", name_of(dtype),
              advise ? ", whatever the type of the other operands: cast it" : "");
      continue;
    }
    require(is_float(dtype), operand.name, " must be f32, bf16 or f16, not ", name_of(dtype));
    // Gradients of different types meet in their norm.
    if (op == "gradNorm") continue;
    if (!first) first = &operand;
    require(dtype == first->tensor->dtype, operand.name, " must have the type of ", first->name, ", ", name_of(first->tensor->dtype),
            ", not ", name_of(dtype), ": cast one of them");
  }
}

}  // namespace eraserelu
