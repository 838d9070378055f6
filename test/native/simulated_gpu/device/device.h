// The device side of CUDA for a compiler that knows only the host: with this header a .cu file is ordinary C++.
#pragma once

#include <cuda_runtime_api.h>
#include <vector_functions.h>

#include "block.h"
#include "launch.h"
#include "shared.h"
#include "warp.h"

#undef __global__
#undef __device__
#undef __host__
#undef __launch_bounds__
#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)

// Not defined here: shared memory is declared by SHARED_ARRAY and DYN_SHARED, and constants are arguments.
#undef __shared__
#undef __constant__

// A load and a store of a whole vector.
#define __ldca(from) (*(from))
#define __stwb(to, value) (*(to) = (value))

#define threadIdx (::simulated_gpu::thread->index)
#define blockIdx (::simulated_gpu::block.index)
#define blockDim (::simulated_gpu::block.size)
#define gridDim (::simulated_gpu::block.grid)

namespace eraserelu {

template <typename T>
using Shared = simulated_gpu::SharedPointer<T>;

}  // namespace eraserelu
