#include "plan/op_checks.h"

#include "plan/op_checks_node.h"
#include "plan/op_checks_pitch.h"
#include "plan/op_checks_types.h"

namespace eraserelu {

namespace {

void check_operand(const Operand& operand) {
  const TensorDesc& tensor = *operand.tensor;
  if (!tensor.present) return require(operand.optional, operand.name, " may not be left out");
  for (std::int64_t dim : tensor.shape) require(dim >= 1, operand.name, " has an empty dimension: ", to_string(tensor.shape));
}

void check_node(const OpDesc& desc, bool onGpu) {
  const Node node(desc);
  for (const Operand& operand : node.operands()) check_operand(operand);
  check_types(node, desc.spec->name);
  check_pitches(node, desc.spec->name, onGpu);
  node.check_in_place();
  const Rules& rules = kLayerRules.count(desc.spec->name) ? kLayerRules : kTensorRules;
  rules.at(desc.spec->name)(node);
}

}  // namespace

void check_shapes(const OpDesc& desc, bool onGpu) {
  try {
    check_node(desc, onGpu);
  } catch (const Error& error) {
    throw Error(error.code(), desc.to_string() + ": " + error.what());
  }
}

void check_in_place(const OpDesc& desc, const std::vector<int>& reads, const std::vector<int>& writes) {
  const std::vector<OperandName> read = operand_names(desc.spec->reads), written = operand_names(desc.spec->writes);
  for (std::size_t i = 0; i < read.size(); ++i) {
    for (std::size_t j = 0; j < written.size(); ++j)
      if (read[i].name == written[j].name && reads[i] != writes[j])
        fail(ErrorCode::Internal, desc.to_string(), ": ", read[i].name, " is updated in place, but tensor ", reads[i],
             " is read and tensor ", writes[j], " is written");
  }
}

}  // namespace eraserelu
