// eraserelu_cuda.so, the GPU backend: loaded at the first use of device `cuda`, so that the addon does without NVIDIA's libraries.
#pragma once

#include <memory>
#include <string>

#include "backend/backend.h"

namespace eraserelu {

/// How many GPUs can be used; 0 when the library or what it needs is missing.
int cuda_devices();

/// Why cuda_devices() is 0; else "".
const std::string& cuda_problem();

std::unique_ptr<Backend> open_cuda_backend(int device);

}  // namespace eraserelu
