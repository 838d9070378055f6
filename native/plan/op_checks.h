// Checks a node before any backend prepares it: operands present, types, ranks, shapes and attributes fit together.
#pragma once

#include "plan/op_desc.h"

namespace eraserelu {

/// Throws InvalidArgument that names the node and what is wrong. The backend, of a GPU or not, may rely on everything checked here.
void check_shapes(const OpDesc& desc, bool onGpu);

/// Throws Internal when an operand that stands under one name on both sides is not one tensor: the numbers of the tensors
/// read and written, by position.
void check_in_place(const OpDesc& desc, const std::vector<int>& reads, const std::vector<int>& writes);

}  // namespace eraserelu
