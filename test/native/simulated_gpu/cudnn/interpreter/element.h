// One element of a tensor in memory, as a double. Storing rounds once, to nearest with ties to even (IEEE 754); an integer
// saturates. Booleans are packed 8 to a byte, the lowest bit first (cudnn-frontend, samples/cpp/norm/batchnorm.cpp: a mask has
// N*C*H*W/8 bytes).
#pragma once

#include <cudnn_graph.h>

#include <cstdint>

namespace simulated_cudnn {

/// The width of a stored element; 0 for a type that cannot be stored.
std::int64_t bits_of(cudnnDataType_t type);

double load_element(cudnnDataType_t type, const void* memory, std::int64_t index);
void store_element(cudnnDataType_t type, void* memory, std::int64_t index, double value);

/// The distance from 1 to the next number of a floating type.
double epsilon_of(cudnnDataType_t type);

}  // namespace simulated_cudnn
