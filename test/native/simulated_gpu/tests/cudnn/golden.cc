// The stand-in against PyTorch's answers (in f64, rounded once): every golden example whose form cuDNN has.
#include "tests/cudnn/golden_file.h"
#include "tests/cudnn/pool_gradient.h"
#include "tests/cudnn/run.h"
#include "tests/harness.h"

using namespace frontend;

namespace {

// The answers are rounded once to f32. Virtual tensors are f32 too: one more rounding a node, of values up to 4 (2^-23 each),
// relative to 1/16.
constexpr double tolerance = 4e-6;

Window window_of(const GoldenCase& each) {
  const Dims& pad = each.lists.at("pad");
  Window window{{pad[0], pad[2]}, {pad[1], pad[3]}, each.lists.at("stride"), {1, 1}, {}};
  if (each.lists.count("dilation") != 0) window.dilation = each.lists.at("dilation");
  if (each.lists.count("kernel") != 0) window.size = each.lists.at("kernel");
  return window;
}

/// A graph whose inputs and outputs are tensors of one golden example.
struct Example {
  const GoldenFile& file;
  const GoldenCase& each;
  Graph graph{Type::f32};
  std::map<Id, void*> pointers;
  std::vector<std::pair<DeviceTensor, Array>> outputs;

  Id input(const std::string& operand) {
    const Array array = file.tensor(each, operand);
    const Id id = graph.tensor(array.dims, Type::f32);
    pointers[id] = DeviceTensor(array, Type::f32).data();
    return id;
  }
  void output(Id id, const std::string& operand, Type type = Type::f32) {
    const Array expected = file.tensor(each, operand);
    outputs.emplace_back(DeviceTensor(expected.dims, type), expected);
    pointers[graph.output(id, type)] = outputs.back().first.data();
  }
  void check() {
    build_and_run(graph, pointers);
    for (const auto& [memory, expected] : outputs) CHECK_CLOSE(memory.download(), expected, tolerance);
  }
  Dims dims(const std::string& operand) const { return file.tensor(each, operand).dims; }
};

/// Runs one check over all golden examples of an operation that it accepts, and wants at least `least` of them.
void for_examples(const std::string& op, int least, const std::function<bool(const GoldenCase&)>& accepts,
                  const std::function<void(Example&)>& check) {
  const GoldenFile file;
  int count = 0;
  for (const GoldenCase& each : file.cases(op)) {
    if (!accepts(each)) continue;
    Example example{file, each, Graph{Type::f32}, {}, {}};
    check(example);
    ++count;
  }
  CHECK(count >= least);
}

bool any(const GoldenCase&) { return true; }

/// cuDNN's batch norm takes multiples of 4 channels in f32.
bool has_16_channels(const GoldenCase& each) { return each.name != "batchNorm/plain" && each.name != "batchNorm/flat"; }

}  // namespace

TEST(golden_convolutions) {
  for_examples("conv2d", 13, any, [](Example& e) {
    Id y = e.graph.convolution(e.input("x"), e.input("w"), window_of(e.each));
    if (e.each.reads_operand("bias")) y = e.graph.pointwise("add", {y, e.input("bias")});
    if (e.each.reads_operand("residual")) y = e.graph.pointwise("add", {y, e.input("residual")});
    if (e.each.texts.at("activation") == "relu") y = e.graph.relu(y);
    e.output(y, "y");
    e.check();
  });
}

TEST(golden_convolution_gradients) {
  for_examples("conv2dBwdData", 11, any, [](Example& e) {
    Id dx = e.graph.convolution_data(e.input("dy"), e.input("w"), e.dims("dx"), window_of(e.each));
    if (e.each.reads_operand("addend")) dx = e.graph.pointwise("add", {dx, e.input("addend")});
    e.output(dx, "dx");
    e.check();
  });
  for_examples("conv2dBwdFilter", 10, any, [](Example& e) {
    e.output(e.graph.convolution_filter(e.input("dy"), e.input("x"), e.dims("dw"), window_of(e.each)), "dw");
    e.check();
  });
}

TEST(golden_batch_norms) {
  const GoldenFile file;
  const float epsilon = static_cast<float>(file.cases("bnStats").front().numbers.at("epsilon"));
  for_examples("bnApply", 3, has_16_channels, [&](Example& e) {
    const Norm norm = e.graph.batch_norm(e.input("x"), e.input("gamma"), e.input("beta"), epsilon);
    e.output(norm.mean, "mean");
    e.output(norm.inverse, "invstd");
    Id y = norm.y;
    const bool residual = e.each.reads_operand("residual"), relu = e.each.texts.at("activation") == "relu";
    if (residual) y = e.graph.pointwise("add", {y, e.input("residual")});
    if (relu) y = e.graph.relu(y);
    else if (residual) y = e.graph.relu(y, {-FLT_MAX, FLT_MAX, 0});   // the erased ReLU
    e.output(y, "y");
    e.check();
  });
}

TEST(golden_running_statistics) {
  for_examples("bnRunningUpdate", 3, has_16_channels, [](Example& e) {
    const Running running{e.input("runningMean"), e.input("runningVariance"),
                          e.graph.scalar(static_cast<float>(e.each.numbers.at("momentum")))};
    const Norm norm = e.graph.batch_norm(e.input("x"), e.input("gamma"), e.input("beta"), 1e-5f, running);
    e.output(norm.mean, "mean");
    e.output(norm.inverse, "invstd");
    e.output(norm.runningMean, "runningMean.after");
    e.output(norm.runningVariance, "runningVariance.after");
    e.pointers[e.graph.output(norm.y, Type::f32)] = DeviceTensor(e.dims("x"), Type::f32).data();
    e.check();
  });
}

TEST(golden_batch_norm_gradients) {
  const auto identity = [](const GoldenCase& each) { return has_16_channels(each) && each.texts.at("activation") == "identity"; };
  for_examples("bnBwdApply", 1, identity, [](Example& e) {
    const NormGradients out =
        e.graph.batch_norm_backward(e.input("dy"), e.input("x"), e.input("gamma"), e.input("mean"), e.input("invstd"));
    e.output(out.dx, "dx");
    e.output(out.dscale, "dgamma");
    e.output(out.dbias, "dbeta");
    e.check();
  });
  // With a ReLU and no residual: y is computed again, and its sign masks dy.
  const auto relu = [](const GoldenCase& each) { return each.name == "batchNorm/relu"; };
  for_examples("bnBwdApply", 1, relu, [](Example& e) {
    const Id x = e.input("x"), gamma = e.input("gamma"), mean = e.input("mean"), invstd = e.input("invstd");
    const Id y = e.graph.batch_norm_inference(x, mean, invstd, gamma, e.input("beta"));
    const NormGradients out = e.graph.batch_norm_backward(e.graph.relu_backward(e.input("dy"), y), x, gamma, mean, invstd);
    e.output(out.dx, "dx");
    e.output(out.dscale, "dgamma");
    e.output(out.dbias, "dbeta");
    e.check();
  });
}

TEST(golden_pools) {
  for_examples("maxPool", 3, any, [](Example& e) {
    const Pooled out = e.graph.pool("max", e.input("x"), window_of(e.each), true);
    e.output(out.y, "y");
    e.output(out.index, "argmax", Type::i8);
    e.check();
  });
  for_examples("avgPool", 2, any, [](Example& e) {
    const bool include = e.each.numbers.at("countIncludePad") != 0;
    e.output(e.graph.pool(include ? "avg_include" : "avg_exclude", e.input("x"), window_of(e.each)).y, "y");
    e.check();
  });
}

TEST(golden_pool_gradients) {
  for_examples("maxPoolBwd", 3, any, [](Example& e) {
    CHECK_CLOSE(
        pool_gradient("max", e.file.tensor(e.each, "dy"), e.file.tensor(e.each, "argmax"), e.dims("dx"), window_of(e.each)),
        e.file.tensor(e.each, "dx"), tolerance);
  });
  for_examples("avgPoolBwd", 2, any, [](Example& e) {
    const std::string mode = e.each.numbers.at("countIncludePad") != 0 ? "avg_include" : "avg_exclude";
    CHECK_CLOSE(pool_gradient(mode, e.file.tensor(e.each, "dy"), std::nullopt, e.dims("dx"), window_of(e.each)),
                e.file.tensor(e.each, "dx"), tolerance);
  });
}

TEST(golden_relus) {
  for_examples("relu", 1, any, [](Example& e) {
    e.output(e.graph.relu(e.input("x")), "y");
    e.check();
  });
  for_examples("reluBwd", 1, any, [](Example& e) {
    e.output(e.graph.relu_backward(e.input("dy"), e.input("y")), "dx");
    e.check();
  });
}

TEST(golden_bias_gradient) {
  for_examples("biasBwd", 1, any, [](Example& e) {
    e.output(e.graph.reduce("add", e.input("dy"), e.dims("db")), "db");
    e.check();
  });
}
