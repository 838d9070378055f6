// Batch norm, per channel over N and the spatial dimensions.
//  - Operands: cudnn_graph.h, CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR and _BACKWARD_DESCRIPTOR; as built in
//    samples/cpp/norm/batchnorm.cpp ("SGBN Add Relu Graph", "DBN Add Relu Graph", "BN_inference DRelu DBN Graph").
//  - Formulas: cudnn_ops Library, cudnnBatchNormalizationForwardTraining and cudnnBatchNormalizationBackward, which name
//    Ioffe and Szegedy, "Batch Normalization" (2015), Algorithm 1 and section 3. The saved inverse variance is 1 /
//    sqrt(variance + epsilon): test/python/test_batchnorm.py compares it with rsqrt(var + epsilon).
//  - runningMean = runningMean * (1 - factor) + newMean * factor, the variance in the same way:
//    cudnnBatchNormalizationForwardTraining. That the variance that enters is unbiased is not said there: it is in the paper,
//    Algorithm 2, and in PyTorch, which hands its running variance to cuDNN.
#include <cmath>

#include "interpreter/operations.h"

namespace simulated_cudnn {
namespace {

struct Channels {
  std::size_t count;
  double members;   // values in each
};

Channels channels_of(const Values& x) {
  const auto count = static_cast<std::size_t>(x.dims[1]);
  return {count, static_cast<double>(x.data.size() / count)};
}

/// Per channel, the sum of value(position, channel) over all positions of that channel.
template <typename Value>
std::vector<double> sum_by_channel(const Values& x, Value value) {
  const std::size_t channels = channels_of(x).count;
  std::vector<double> sums(channels);
  for (std::size_t i = 0; i < x.data.size(); ++i) sums[i % channels] += value(i, i % channels);
  return sums;
}

std::vector<double> normalised(const Values& x, const std::vector<double>& mean, const std::vector<double>& inverse,
                               const std::vector<double>& scale, const std::vector<double>& bias) {
  const std::size_t channels = channels_of(x).count;
  std::vector<double> y(x.data.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t c = i % channels;
    y[i] = scale[c] * (x.data[i] - mean[c]) * inverse[c] + bias[c];
  }
  return y;
}

}  // namespace

void run_norm_forward(const Graph& graph, const Operation& operation, Memory& memory) {
  const Object& op = *operation.descriptor;
  const auto load = [&](cudnnBackendAttributeName_t name) { return memory.load(graph.tensor(op, name).uid); };
  const auto store = [&](cudnnBackendAttributeName_t name, const std::vector<double>& data) {
    if (op.child(name) != nullptr) memory.store(graph.tensor(op, name).uid, data);
  };
  const Values x = load(CUDNN_ATTR_OPERATION_NORM_FWD_XDESC);
  const std::vector<double> scale = load(CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC).data,
                            bias = load(CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC).data;
  if (op.value<cudnnBackendNormFwdPhase_t>(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE) == CUDNN_NORM_FWD_INFERENCE) {
    store(CUDNN_ATTR_OPERATION_NORM_FWD_YDESC,
          normalised(x, load(CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC).data,
                     load(CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC).data, scale, bias));
    return;
  }

  const auto [channels, members] = channels_of(x);
  const double epsilon = memory.faults.noEpsilon ? 0 : load(CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC).data.front();
  std::vector<double> mean = sum_by_channel(x, [&](std::size_t i, std::size_t) { return x.data[i] / members; });
  std::vector<double> variance =
      sum_by_channel(x, [&](std::size_t i, std::size_t c) { return (x.data[i] - mean[c]) * (x.data[i] - mean[c]) / members; });
  if (memory.faults.onePass) {
    const std::vector<double> squares = sum_by_channel(x, [&](std::size_t i, std::size_t) { return x.data[i] * x.data[i] / members; });
    for (std::size_t c = 0; c < channels; ++c) {
      const float center = static_cast<float>(mean[c]), square = center * center;
      variance[c] = std::fmax(static_cast<float>(squares[c]) - square, 0.0f);
    }
  }
  std::vector<double> inverse(channels);
  for (std::size_t c = 0; c < channels; ++c) inverse[c] = 1 / std::sqrt(variance[c] + epsilon);
  store(CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, normalised(x, mean, inverse, scale, bias));
  store(CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, mean);
  store(CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC, inverse);

  if (op.child(CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC) == nullptr) return;
  const double factor = load(CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC).data.front();
  std::vector<double> runningMean = load(CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC).data;
  std::vector<double> runningVariance = load(CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC).data;
  for (std::size_t c = 0; c < channels; ++c) {
    runningMean[c] = (1 - factor) * runningMean[c] + factor * mean[c];
    runningVariance[c] = (1 - factor) * runningVariance[c] + factor * variance[c] * members / (members - 1);
  }
  store(CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC, runningMean);
  store(CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC, runningVariance);
}

void run_norm_backward(const Graph& graph, const Operation& operation, Memory& memory) {
  const Object& op = *operation.descriptor;
  const auto load = [&](cudnnBackendAttributeName_t name) { return memory.load(graph.tensor(op, name).uid); };
  const Values x = load(CUDNN_ATTR_OPERATION_NORM_BWD_XDESC);
  const std::vector<double> dy = load(CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC).data,
                            scale = load(CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC).data;
  const std::vector<double> mean = load(CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC).data,
                            inverse = load(CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC).data;
  const auto [channels, members] = channels_of(x);
  const auto standardised = [&](std::size_t i, std::size_t c) { return (x.data[i] - mean[c]) * inverse[c]; };
  const std::vector<double> dbias = sum_by_channel(x, [&](std::size_t i, std::size_t) { return dy[i]; });
  const std::vector<double> dscale = sum_by_channel(x, [&](std::size_t i, std::size_t c) { return dy[i] * standardised(i, c); });
  std::vector<double> dx(x.data.size());
  for (std::size_t i = 0; i < dx.size(); ++i) {
    const std::size_t c = i % channels;
    dx[i] = scale[c] * inverse[c] * (dy[i] - dbias[c] / members - standardised(i, c) * dscale[c] / members);
  }
  memory.store(graph.tensor(op, CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC).uid, dx);
  memory.store(graph.tensor(op, CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC).uid, dscale);
  memory.store(graph.tensor(op, CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC).uid, dbias);
}

}  // namespace simulated_cudnn
