// Tensors of the tests: host values in the order N, H, W, C (filters K, R, S, C), and their copies on the simulated device.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <string>

#include "frontend/frontend_graph.h"

namespace frontend {

struct Array {
  Dims dims;   // N, C, H, W
  std::vector<double> values;

  explicit Array(Dims dims);
  double& at(std::int64_t n, std::int64_t c, std::int64_t h = 0, std::int64_t w = 0);
  double at(std::int64_t n, std::int64_t c, std::int64_t h = 0, std::int64_t w = 0) const;
};

/// Multiples of 1/8 from -2 to 2, which every type here holds exactly.
Array drawn(const Dims& dims, unsigned seed);
/// The same moved to [low, low + 4].
Array drawn_from(const Dims& dims, unsigned seed, double low);

/// The spacing of a type's numbers at 1: half of it is the largest relative error of one rounding.
double spacing_of(Type type);

/// Memory on the device in a type of its own; pixels `pitch` elements apart. The gaps are filled with a pattern.
class DeviceTensor {
 public:
  DeviceTensor(const Dims& dims, Type type, std::int64_t pitch = 0);
  DeviceTensor(const Array& array, Type type, std::int64_t pitch = 0);

  void* data() const { return memory_; }
  Array download() const;
  bool gaps_are_untouched() const;

 private:
  Dims dims_;
  Type type_;
  std::int64_t pitch_;
  void* memory_ = nullptr;   // freed with the process: each case has one of its own
  std::vector<unsigned char> read_back() const;
};

/// Fails the case unless every value is within `tolerance` of the expected one, relative to it or to 1/16.
void check_close(const char* file, int line, const Array& actual, const Array& expected, double tolerance);

}  // namespace frontend

#define CHECK_CLOSE(actual, expected, tolerance) frontend::check_close(__FILE__, __LINE__, actual, expected, tolerance)
