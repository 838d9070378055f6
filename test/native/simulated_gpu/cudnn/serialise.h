// Execution plans as text, for CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION. Only the stand-in reads it, so it need not be JSON.
#pragma once

#include <string>

#include "object.h"

namespace simulated_cudnn {

std::string text_of_plan(const ObjectRef& engineConfig);

/// Throws SERIALIZATION_VERSION_MISMATCH for the text of another cuDNN version, BAD_PARAM for anything else that is no plan.
ObjectRef engine_config_of(const std::string& text);

}  // namespace simulated_cudnn
