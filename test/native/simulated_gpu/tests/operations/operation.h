// One use of an operation, run by the GPU backend's kernel on the simulated GPU and by the reference backend; their results are
// compared. The reference computes in f32 what the GPU computes in a 16-bit type, from the same numbers.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cuda/kernels.h"
#include "plan/op_desc.h"
#include "tests/runtime/cuda.h"

using namespace eraserelu;

constexpr DType floats[] = {DType::f32, DType::bf16, DType::f16};

using Values = std::vector<double>;

/// Numbers from -2 to 2 that every type holds; other ones for every call.
Values draw(std::int64_t n);
/// From `low` to `high`, both included.
Values integers(std::int64_t n, int low, int high);

/// How far a result of this type may be off, in units of its largest element or of 1: some roundings of f32 and one to the type.
double tolerance_of(DType dtype);

/// An operand; empty values: it is only written. An operand that is left out has no shape and is not present.
struct Tensor {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  Values values;
  bool present = true;
};

struct Operation {
  explicit Operation(const std::string& name);

  /// Drawn numbers.
  Operation& read(const std::string& operand, DType dtype, const Shape& shape);
  Operation& read(const std::string& operand, DType dtype, const Shape& shape, const Values& values);
  Operation& write(const std::string& operand, DType dtype, const Shape& shape);
  Operation& without(const std::string& operand);
  Operation& set(const std::string& attribute, const Attributes::Value& value);

  std::string name;
  Attributes attributes;
  std::vector<Tensor> reads, writes;   // an operand under the same name on both sides is updated in place
  StepParams step;
  /// Elements between the start of each tensor and an address with every alignment.
  std::int64_t shift = 0;
};

/// What the launches of all chunks have written.
struct Results {
  std::vector<std::string> names;
  std::vector<Values> values;
};
Results on_gpu(const Operation& operation, cuda::Prepare prepare, std::int64_t chunk);
Results on_reference(const Operation& operation);

/// Runs it on both, whole, with shifted addresses, and in chunks of one and two images where `batch` is not 0. Fails the case
/// where the results differ by more than `tolerance`, or where a chunk changes a bit.
void compare(Operation operation, cuda::Prepare prepare, double tolerance, std::int64_t batch = 0);

/// Fails the case unless the kernel cannot be prepared, with an Unsupported error that contains `words`.
void check_refused(const Operation& operation, cuda::Prepare prepare, const char* words);
