// The GPU backend: cuDNN's convolutions and our own kernels, on one stream of one device.
#pragma once

#include <memory>

#include "backend/backend.h"

namespace eraserelu {

/// Throws Unsupported for a GPU that is too old.
std::unique_ptr<Backend> make_cuda_backend(int device);

}  // namespace eraserelu
