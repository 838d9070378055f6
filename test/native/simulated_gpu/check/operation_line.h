// An operation of a plan as a line of text, as scripts/cudnn_support/operation_line.ts writes it. Five fields between tabs:
//   conv2d  0  activation=relu;pad=[1,1,1,1];…  f32:8,32,32,16;f32:16,3,3,16;-;-  f32:8,32,32,16
// name, images a launch (0: all at once), attributes, what it reads, what it writes; '-': an operand that was left out.
#pragma once

#include <string>

#include "plan/op_desc.h"

namespace eraserelu {

/// Throws Error for a line that is no operation.
OpDesc operation_of(const std::string& line);

}  // namespace eraserelu
