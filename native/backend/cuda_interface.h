// The border between the addon and eraserelu_cuda.so, which is loaded at run time: the functions that library exports.
#pragma once

#include "backend/backend.h"

namespace eraserelu {

/// "eraserelu_cuda_open", called first. `waist` tells the sources of backend.h and of what it includes apart (waist.cmake): objects cross the border, so both
/// sides must be built from the same. Returns nullptr and the number of devices, at least 1; or the reason why none can be used.
using CudaOpen = const char*(const char* waist, int* devices);

/// "eraserelu_cuda_backend" makes the backend of a device. Throws Error.
using CudaBackend = Backend*(int device);

}  // namespace eraserelu
