// Expected values: the definitions as plain loops over N, C, H, W, each value by itself. Written apart from the stand-in's
// interpreter, with another order of loops: an output gathers what it is made of, gradients included.
#pragma once

#include "tests/cudnn/device_tensor.h"

namespace frontend::plain {

Array convolution(const Array& x, const Array& w, const Window& window);
/// The gradients of sum(convolution(x, w) * dy).
Array convolution_data(const Array& dy, const Array& w, const Dims& dims, const Window& window);
Array convolution_filter(const Array& dy, const Array& x, const Dims& dims, const Window& window);

/// f(a, b) for each value; b is of a's shape or [1, C, 1, 1].
Array combined(const Array& a, const Array& b, const std::function<double(double, double)>& f);
Array mapped(const Array& a, const std::function<double(double)>& f);

struct Statistics {
  Array mean, variance, inverse;   // variance biased
};
Statistics statistics(const Array& x, double epsilon);
Array normalised(const Array& x, const Array& mean, const Array& inverse, const Array& scale, const Array& bias);

/// dx from the chain rule written out: d mean / dx and d inverse / dx.
struct Gradients {
  Array dx, dscale, dbias;
};
Gradients norm_gradients(const Array& dy, const Array& x, const Array& scale, const Array& mean, const Array& inverse);

}  // namespace frontend::plain
