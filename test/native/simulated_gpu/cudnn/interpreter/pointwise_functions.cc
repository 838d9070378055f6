// The modes are the comments of cudnnPointwiseMode_t in cudnn_graph.h and cudnn_graph Library, cudnnPointwiseMode_t. The
// activations' formulas and defaults are those of CUDNN_BACKEND_POINTWISE_DESCRIPTOR in cudnn_graph.h:
//  - ReLU: value < lower_clip -> lower_clip + lower_clip_slope * (value - lower_clip); value > upper_clip -> upper_clip.
//    CUDNN_PROPAGATE_NAN is the only NaN mode supported: neither comparison holds for a NaN, so it stays.
//  - *_BWD: "first derivative" of the activation at x (cudnn_graph Library) times dy; dy is the first operand:
//    samples/cpp/convolution/dgrads.cpp, "Dgrad Drelu Graph". At a clip the derivative is not documented: at the lower one it
//    is the slope here, at the upper one 0, as in PyTorch's threshold and hardtanh.
#include "interpreter/pointwise_functions.h"

#include <cmath>

#include "graph.h"

namespace simulated_cudnn {
namespace {

const PointwiseMode modes[] = {
    {CUDNN_POINTWISE_ADD, "add", 2},
    {CUDNN_POINTWISE_ADD_SQUARE, "add_square", 2},
    {CUDNN_POINTWISE_DIV, "div", 2},
    {CUDNN_POINTWISE_MAX, "max", 2},
    {CUDNN_POINTWISE_MIN, "min", 2},
    {CUDNN_POINTWISE_MUL, "mul", 2},
    {CUDNN_POINTWISE_POW, "pow", 2},
    {CUDNN_POINTWISE_SUB, "sub", 2},
    {CUDNN_POINTWISE_ABS, "abs", 1},
    {CUDNN_POINTWISE_EXP, "exp", 1},
    {CUDNN_POINTWISE_LOG, "log", 1},
    {CUDNN_POINTWISE_NEG, "neg", 1},
    {CUDNN_POINTWISE_RSQRT, "rsqrt", 1},
    {CUDNN_POINTWISE_SQRT, "sqrt", 1},
    {CUDNN_POINTWISE_ERF, "erf", 1},
    {CUDNN_POINTWISE_IDENTITY, "identity", 1},
    {CUDNN_POINTWISE_RECIPROCAL, "reciprocal", 1},
    {CUDNN_POINTWISE_RELU_FWD, "relu_fwd", 1},
    {CUDNN_POINTWISE_TANH_FWD, "tanh_fwd", 1},
    {CUDNN_POINTWISE_SIGMOID_FWD, "sigmoid_fwd", 1},
    {CUDNN_POINTWISE_ELU_FWD, "elu_fwd", 1},
    {CUDNN_POINTWISE_GELU_FWD, "gelu_fwd", 1},
    {CUDNN_POINTWISE_SOFTPLUS_FWD, "softplus_fwd", 1},
    {CUDNN_POINTWISE_SWISH_FWD, "swish_fwd", 1},
    {CUDNN_POINTWISE_RELU_BWD, "relu_bwd", 2},
    {CUDNN_POINTWISE_TANH_BWD, "tanh_bwd", 2},
    {CUDNN_POINTWISE_SIGMOID_BWD, "sigmoid_bwd", 2},
    {CUDNN_POINTWISE_CMP_EQ, "cmp_eq", 2},
    {CUDNN_POINTWISE_CMP_NEQ, "cmp_neq", 2},
    {CUDNN_POINTWISE_CMP_GT, "cmp_gt", 2},
    {CUDNN_POINTWISE_CMP_GE, "cmp_ge", 2},
    {CUDNN_POINTWISE_CMP_LT, "cmp_lt", 2},
    {CUDNN_POINTWISE_CMP_LE, "cmp_le", 2},
    {CUDNN_POINTWISE_LOGICAL_AND, "logical_and", 2},
    {CUDNN_POINTWISE_LOGICAL_OR, "logical_or", 2},
    {CUDNN_POINTWISE_LOGICAL_NOT, "logical_not", 1},
    {CUDNN_POINTWISE_BINARY_SELECT, "binary_select", 3},
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double relu(const PointwiseParameters& p, double x) {
  if (x < p.lowerClip) return p.lowerClip + p.slope * (x - p.lowerClip);
  return x > p.upperClip ? p.upperClip : x;
}

double relu_derivative(const PointwiseParameters& p, double x) {
  if (x <= p.lowerClip) return p.slope;
  return x < p.upperClip ? 1 : 0;
}

/// The NaN wins, as CUDNN_PROPAGATE_NAN says.
double maximum(double a, double b) { return a != a || a > b ? a : b; }

}  // namespace

const PointwiseMode& pointwise_mode(cudnnPointwiseMode_t mode) {
  for (const PointwiseMode& known : modes)
    if (known.mode == mode) return known;
  fail(CUDNN_STATUS_NOT_SUPPORTED, "the stand-in does not compute pointwise mode ", mode);
}

const char* name_of(cudnnPointwiseMode_t mode) { return pointwise_mode(mode).name; }

PointwiseParameters pointwise_parameters(const Object& pointwise) {
  PointwiseParameters p;
  p.mode = pointwise.value<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
  p.lowerClip = pointwise.real(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, p.lowerClip);
  p.upperClip = pointwise.real(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, p.upperClip);
  p.slope = pointwise.real(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, p.slope);
  p.eluAlpha = pointwise.real(CUDNN_ATTR_POINTWISE_ELU_ALPHA, p.eluAlpha);
  p.softplusBeta = pointwise.real(CUDNN_ATTR_POINTWISE_SOFTPLUS_BETA, p.softplusBeta);
  p.swishBeta = pointwise.real(CUDNN_ATTR_POINTWISE_SWISH_BETA, p.swishBeta);
  return p;
}

double pointwise_value(const PointwiseParameters& p, const double* in) {
  const double x = in[0];
  switch (p.mode) {
    case CUDNN_POINTWISE_ADD: return x + in[1];
    case CUDNN_POINTWISE_ADD_SQUARE: return x + in[1] * in[1];
    case CUDNN_POINTWISE_DIV: return x / in[1];
    case CUDNN_POINTWISE_MAX: return maximum(x, in[1]);
    case CUDNN_POINTWISE_MIN: return -maximum(-x, -in[1]);
    case CUDNN_POINTWISE_MUL: return x * in[1];
    case CUDNN_POINTWISE_POW: return std::pow(x, in[1]);
    case CUDNN_POINTWISE_SUB: return x - in[1];
    case CUDNN_POINTWISE_ABS: return std::fabs(x);
    case CUDNN_POINTWISE_EXP: return std::exp(x);
    case CUDNN_POINTWISE_LOG: return std::log(x);
    case CUDNN_POINTWISE_NEG: return -x;
    case CUDNN_POINTWISE_RSQRT: return 1 / std::sqrt(x);
    case CUDNN_POINTWISE_SQRT: return std::sqrt(x);
    case CUDNN_POINTWISE_ERF: return std::erf(x);
    case CUDNN_POINTWISE_IDENTITY: return x;
    case CUDNN_POINTWISE_RECIPROCAL: return 1 / x;
    case CUDNN_POINTWISE_RELU_FWD: return relu(p, x);
    case CUDNN_POINTWISE_TANH_FWD: return std::tanh(x);
    case CUDNN_POINTWISE_SIGMOID_FWD: return sigmoid(x);
    case CUDNN_POINTWISE_ELU_FWD: return x < 0 ? p.eluAlpha * std::expm1(x) : x;
    case CUDNN_POINTWISE_GELU_FWD: return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case CUDNN_POINTWISE_SOFTPLUS_FWD: return std::log1p(std::exp(p.softplusBeta * x)) / p.softplusBeta;
    case CUDNN_POINTWISE_SWISH_FWD: return x * sigmoid(p.swishBeta * x);
    case CUDNN_POINTWISE_RELU_BWD: return x * relu_derivative(p, in[1]);
    case CUDNN_POINTWISE_TANH_BWD: return x * (1 - std::tanh(in[1]) * std::tanh(in[1]));
    case CUDNN_POINTWISE_SIGMOID_BWD: return x * sigmoid(in[1]) * (1 - sigmoid(in[1]));
    case CUDNN_POINTWISE_CMP_EQ: return x == in[1];
    case CUDNN_POINTWISE_CMP_NEQ: return x != in[1];
    case CUDNN_POINTWISE_CMP_GT: return x > in[1];
    case CUDNN_POINTWISE_CMP_GE: return x >= in[1];
    case CUDNN_POINTWISE_CMP_LT: return x < in[1];
    case CUDNN_POINTWISE_CMP_LE: return x <= in[1];
    case CUDNN_POINTWISE_LOGICAL_AND: return x != 0 && in[1] != 0;
    case CUDNN_POINTWISE_LOGICAL_OR: return x != 0 || in[1] != 0;
    case CUDNN_POINTWISE_LOGICAL_NOT: return x == 0;
    case CUDNN_POINTWISE_BINARY_SELECT: return in[2] != 0 ? x : in[1];
    default: fail(CUDNN_STATUS_INTERNAL_ERROR, "pointwise mode ", p.mode, " in a finalised graph");
  }
}

}  // namespace simulated_cudnn
