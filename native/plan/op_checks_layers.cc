// The rules of convolution, batch norm, pooling and shortcuts: what each operand's shape must be.
#include <algorithm>

#include "base/activation.h"
#include "base/mask.h"
#include "base/window.h"
#include "plan/op_checks_node.h"
#include "plan/running_ranges.h"
#include "plan/step_params.h"

namespace eraserelu {

namespace {

void check_activation(const Node& n) { activation_named(n.attributes.text("activation")); }

Shape windows(const Shape& x, const Shape& kernel, const Shape& stride, const Shape& pad, const Shape& dilation,
              std::int64_t channels) {
  const std::int64_t height = window_count(x[1], pad[0], pad[1], kernel[0], stride[0], dilation[0]);
  const std::int64_t width = window_count(x[2], pad[2], pad[3], kernel[1], stride[1], dilation[1]);
  require(height > 0 && width > 0, "a window of ", to_string(kernel), " does not fit into the padded image");
  return {x[0], height, width, channels};
}

void convolution(const Node& n, const char* input, const char* filter, const char* output) {
  const Shape& x = n.shape(input, 4);
  const Shape& w = n.shape(filter, 4);
  const std::int64_t groups = n.attributes.integer("groups");
  require(groups >= 1 && x[3] % groups == 0 && w[0] % groups == 0, "groups (", groups, ") must divide ", x[3],
          " input channels and ", w[0], " output channels");
  require(w[3] == x[3] / groups, filter, " must have ", x[3] / groups, " input channels a group, not ", w[3]);
  n.expect(windows(x, {w[1], w[2]}, integers(n, "stride", 2, 1), integers(n, "pad", 4, 0), integers(n, "dilation", 2, 1), w[0]),
           {output});
}

void conv2d(const Node& n) {
  convolution(n, "x", "w", "y");
  check_activation(n);
  n.expect({n.shape("w")[0]}, {"bias"});
  n.expect(n.shape("y"), {"residual"});
}

void conv2d_bwd_data(const Node& n) {
  convolution(n, "dx", "w", "dy");
  n.expect(n.shape("dx"), {"addend"});
}

void conv2d_bwd_filter(const Node& n) { convolution(n, "x", "dw", "dy"); }

Shape channels_of(const Node& n, const char* name) {
  require(n.shape(name).size() >= 2, name, " must have at least 2 dimensions");
  return {n.shape(name).back()};
}

void bias_bwd(const Node& n) { n.expect(channels_of(n, "dy"), {"db"}); }

void bn_stats(const Node& n) {
  check_epsilon(n);
  n.expect(channels_of(n, "x"), {"mean", "invstd", "variance"});
}

/// bnApply, batchNormInfer and the gradients: everything is as large as x, has one value a channel, or one bit an element.
void batch_norm(const Node& n) {
  check_activation(n);
  n.expect(n.shape("x"), {"y", "dy", "dx", "residual", "dresidual"});
  n.expect(mask_shape(n.shape("x")), {"mask"});
  n.expect(channels_of(n, "x"), {"mean", "invstd", "variance", "gamma", "beta", "dgamma", "dbeta"});
}

void batch_norm_infer(const Node& n) {
  check_epsilon(n);
  batch_norm(n);
}

/// Layers share no element of `running`: a backend may update them at the same time.
void bn_running_update(const Node& n) {
  std::vector<std::pair<std::int64_t, std::int64_t>> stretches;   // of `running`: begin, end
  const auto inside = [](std::int64_t begin, std::int64_t count, const Shape& arena, const char* name) {
    require(begin >= 0 && count >= 0 && begin <= arena[0] - count, name, " ", begin, "+", count, " is outside of ", arena[0],
            " elements");
  };
  for (const RunningRange& range : running_ranges(n.attributes)) {
    inside(range.statistics, 2 * range.channels, n.shape("statistics", 1), "statistics");
    for (std::int64_t begin : {range.mean, range.variance}) {
      inside(begin, range.channels, n.shape("running", 1), "running");
      stretches.emplace_back(begin, begin + range.channels);
    }
    require(range.momentum >= 0 && range.momentum <= 1, "momentum must be in [0,1], got ", range.momentum);
    require(range.count >= 2, "batch norm in training needs more than 1 value a channel");
  }
  std::sort(stretches.begin(), stretches.end());
  for (std::size_t i = 1; i < stretches.size(); ++i)
    require(stretches[i].first >= stretches[i - 1].second, "element ", stretches[i].first, " of running belongs to two statistics");
  n.expect({kStateSize}, {"state"});
}

void pooling(const Node& n, const char* input, const char* output) {
  const Shape& x = n.shape(input, 4);
  const Shape kernel = integers(n, "kernel", 2, 1), pad = integers(n, "pad", 4, 0);
  for (int side = 0; side < 4; ++side)
    require(pad[side] < kernel[side / 2], "pad ", to_string(pad), " must be smaller than the kernel ", to_string(kernel));
  n.expect(windows(x, kernel, integers(n, "stride", 2, 1), pad, {1, 1}, x[3]), {output});
}

void check_argmax(const Node& n, const char* output) {
  const Shape kernel = n.attributes.integers("kernel");
  if (n.has("argmax")) require(kernel[0] * kernel[1] <= 256, "argmax needs a window of at most 256 pixels");
  n.expect(n.shape(output), {"argmax"});
}

void max_pool(const Node& n) { pooling(n, "x", "y"), check_argmax(n, "y"); }
void max_pool_bwd(const Node& n) { pooling(n, "dx", "dy"), check_argmax(n, "dy"); }
void avg_pool(const Node& n) { pooling(n, "x", "y"), n.attributes.flag("countIncludePad"); }
void avg_pool_bwd(const Node& n) { pooling(n, "dx", "dy"), n.attributes.flag("countIncludePad"); }

void global_avg_pool(const Node& n, const char* input, const char* output) {
  const Shape& x = n.shape(input, 4);
  const Shape& y = n.shape(output);
  require(y.size() >= 2 && y.front() == x[0] && y.back() == x[3] && elements_of(y) == x[0] * x[3], output, " must be ",
          to_string({x[0], x[3]}), ", not ", to_string(y));
}

void shortcut_a(const Node& n, const char* input, const char* output) {
  const Shape& x = n.shape(input, 4);
  const Shape stride = integers(n, "stride", 2, 1);
  const std::int64_t channels = n.shape(output, 4)[3];
  require(channels >= x[3], "shortcutA cannot reduce ", x[3], " channels to ", channels);
  n.expect({x[0], (x[1] + stride[0] - 1) / stride[0], (x[2] + stride[1] - 1) / stride[1], channels}, {output});
}

}  // namespace

const Rules kLayerRules = {
    {"conv2d", conv2d},
    {"conv2dBwdData", conv2d_bwd_data},
    {"conv2dBwdFilter", conv2d_bwd_filter},
    {"biasBwd", bias_bwd},
    {"bnStats", bn_stats},
    {"bnApply", batch_norm},
    {"bnBwdReduce", batch_norm},
    {"bnBwdApply", batch_norm},
    {"bnRunningUpdate", bn_running_update},
    {"batchNormInfer", batch_norm_infer},
    {"batchNormInferBwd", batch_norm_infer},
    {"maxPool", max_pool},
    {"maxPoolBwd", max_pool_bwd},
    {"avgPool", avg_pool},
    {"avgPoolBwd", avg_pool_bwd},
    {"globalAvgPool", [](const Node& n) { global_avg_pool(n, "x", "y"); }},
    {"globalAvgPoolBwd", [](const Node& n) { global_avg_pool(n, "dx", "dy"); }},
    {"shortcutA", [](const Node& n) { shortcut_a(n, "x", "y"); }},
    {"shortcutABwd", [](const Node& n) { shortcut_a(n, "dx", "dy"); }},
};

}  // namespace eraserelu
