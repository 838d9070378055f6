// Marks the scalar formulas that host code and CUDA kernels share, so that CPU tests run the very lines a GPU runs.
#pragma once

#ifdef __CUDACC__
#define ERASERELU_HD __host__ __device__ __forceinline__
#else
#define ERASERELU_HD inline
#endif
