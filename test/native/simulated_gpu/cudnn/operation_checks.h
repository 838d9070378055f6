// The checks of an operation descriptor when it is finalised.
#pragma once

#include "object.h"

namespace simulated_cudnn {

/// Throws BAD_PARAM or NOT_SUPPORTED; does nothing for a descriptor that is no operation.
void check_operation(const Object& operation);

}  // namespace simulated_cudnn
