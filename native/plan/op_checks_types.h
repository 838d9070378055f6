// Which operand may have which element type.
#pragma once

#include <string_view>

#include "plan/op_checks_node.h"

namespace eraserelu {

/// The operands of an operation that share its type, separated by spaces: all f32, all bf16 or all f16. Their types need not be named
/// elsewhere: statistics, parameters of batch norm, biases, losses, weights of optimizers and their state are f32 always, labels i32, images
/// and masks u8.
std::string_view typed_operands(std::string_view op);

/// Throws InvalidArgument that names an operand of the wrong type and what would be right.
void check_types(const Node& node, std::string_view op);

}  // namespace eraserelu
