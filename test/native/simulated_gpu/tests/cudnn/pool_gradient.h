// The gradient of a pooling by cuDNN's resample-backward operation, which cudnn-frontend's graphs do not have.
#pragma once

#include "tests/cudnn/device_tensor.h"

namespace frontend {

/// dx for "max" (with the indices of the forward pass), "avg_include" or "avg_exclude".
Array pool_gradient(const std::string& mode, const Array& dy, const std::optional<Array>& index, const Dims& dims,
                    const Window& window);

}  // namespace frontend
