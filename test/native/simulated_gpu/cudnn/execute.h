// cudnnBackendExecute: one operation graph as one operation of a stream.
#pragma once

#include <cuda_runtime_api.h>

#include "object.h"

namespace simulated_cudnn {

/// Checks the variant pack, copies what it needs of it (the caller frees the pack, and the scalars passed by value, as soon as
/// this returns) and enqueues the execution. Throws BAD_PARAM for a missing, misaligned or non-device pointer.
void execute(const ObjectRef& plan, const Object& variantPack, cudaStream_t stream);

}  // namespace simulated_cudnn
