#include "plan/op_checks.h"

#include <set>

#include "plan/op_checks_node.h"

namespace eraserelu {

namespace {

void check_operand(const Operand& operand, bool anyDType) {
  static const std::set<std::string> kI32 = {"labels", "labels2", "offsets", "cutouts", "indices"};
  static const std::set<std::string> kU8 = {"images", "dataset", "flips", "mask", "argmax"};
  static const std::set<std::string> kF32 = {"mean", "invstd", "variance", "gamma", "beta", "dgamma", "dbeta", "runningMean",
                                             "runningVariance", "loss", "correct1", "correct5", "count", "lambda", "state",
                                             "velocity", "m", "v", "ema"};
  const TensorDesc& tensor = *operand.tensor;
  if (!tensor.present) return require(operand.optional, operand.name, " may not be left out");
  for (std::int64_t dim : tensor.shape) require(dim >= 1, operand.name, " has an empty dimension: ", to_string(tensor.shape));
  if (anyDType) return;
  const DType dtype = tensor.dtype;
  const DType wanted = kI32.count(operand.name) ? DType::i32 : kU8.count(operand.name) ? DType::u8 : DType::f32;
  const bool anyFloat = wanted == DType::f32 && kF32.count(operand.name) == 0;
  const bool right = dtype == wanted || (anyFloat && (dtype == DType::bf16 || dtype == DType::f16));
  require(right, operand.name, " must be ", name_of(wanted), ", not ", name_of(dtype));
}

void check_node(const OpDesc& desc) {
  const Node node(desc);
  for (const Operand& operand : node.operands()) check_operand(operand, desc.is("cast"));
  node.check_in_place();
  const Rules& rules = kLayerRules.count(desc.spec->name) ? kLayerRules : kTensorRules;
  rules.at(desc.spec->name)(node);
}

}  // namespace

void check_shapes(const OpDesc& desc) {
  try {
    check_node(desc);
  } catch (const Error& error) {
    throw Error(error.code(), desc.to_string() + ": " + error.what());
  }
}

void check_in_place(const OpDesc& desc, const std::vector<int>& reads, const std::vector<int>& writes) {
  std::istringstream read_names(desc.spec->reads);
  std::string read, written;
  for (std::size_t i = 0; read_names >> read; ++i) {
    std::istringstream write_names(desc.spec->writes);
    for (std::size_t j = 0; write_names >> written; ++j)
      if (read == written && reads[i] != writes[j])
        fail(ErrorCode::Internal, desc.to_string(), ": ", read, " is updated in place, but tensor ", reads[i],
             " is read and tensor ", writes[j], " is written");
  }
}

}  // namespace eraserelu
