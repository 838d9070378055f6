// Which operand may have a pixel pitch: be a part of the channels of a wider tensor.
#pragma once

#include <string_view>

#include "plan/op_checks_node.h"

namespace eraserelu {

/// The operands of an operation that every backend takes with a pitch, on a GPU or on the CPU, separated by spaces. All others are dense.
std::string_view pitched_operands(std::string_view op, bool onGpu);

/// Throws InvalidArgument that names an operand with a pitch that it may not have.
void check_pitches(const Node& node, std::string_view op, bool onGpu);

}  // namespace eraserelu
