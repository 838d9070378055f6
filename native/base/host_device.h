// Marks the scalar formulas that host code and CUDA kernels share, so that CPU tests run the very lines a GPU runs.
#pragma once

#ifdef __CUDACC__
#define ERASERELU_HD __host__ __device__ __forceinline__
#elif defined(ERASERELU_ISA)
// A file that is compiled once for every instruction set: the linker must not share a formula between them.
#define ERASERELU_HD static inline
#else
#define ERASERELU_HD inline
#endif
