// Graphs that cuDNN refuses: by the rules, and by a table.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cudnn/sim_cudnn.h"
#include "tests/cudnn/add_graph.h"
#include "tests/harness.h"

using namespace frontend;

namespace {

const Dims dims{2, 8, 3, 5}, channels{1, 8, 1, 1};

/// Whether a graph that `make` fills can be built.
bool is_supported(Type io, const std::function<void(Graph&)>& make) {
  static const Device device;
  Graph graph(io);
  make(graph);
  return error_of([&] { graph.build(device.handle()); }).empty();
}

/// y = batch norm (x) + residual, and whatever `end` makes of it.
void norm_add(Graph& graph, const Dims& shape, const std::function<Id(Graph&, Id)>& end) {
  const Dims vector{1, shape[1], 1, 1};
  const Id x = graph.tensor(shape, Type::f32), scale = graph.tensor(vector, Type::f32), bias = graph.tensor(vector, Type::f32);
  const Norm norm = graph.batch_norm(x, scale, bias, 1e-3f);
  graph.output(norm.mean, Type::f32);
  graph.output(norm.inverse, Type::f32);
  graph.output(end(graph, graph.pointwise("add", {norm.y, graph.tensor(shape, Type::f32)})), Type::f32);
}

/// A batch norm's gradient behind a ReLU's; x of the ReLU is `y` of batch norm inference, or a tensor in memory.
void masked_gradient(Graph& graph, Type type, bool recompute, bool writeMasked) {
  const Id x = graph.tensor(dims, type), scale = graph.tensor(channels, Type::f32), mean = graph.tensor(channels, Type::f32),
           inverse = graph.tensor(channels, Type::f32);
  const Id y = recompute ? graph.batch_norm_inference(x, mean, inverse, scale, graph.tensor(channels, Type::f32))
                         : graph.tensor(dims, type);
  const Id masked = graph.relu_backward(graph.tensor(dims, type), y);
  if (writeMasked) graph.output(masked, type);
  const NormGradients out = graph.batch_norm_backward(masked, x, scale, mean, inverse);
  graph.output(out.dx, type);
  graph.output(out.dscale, Type::f32);
  graph.output(out.dbias, Type::f32);
}

/// Sets the support table for this process.
void use_table(const std::string& text) {
  std::string path = (std::filesystem::temp_directory_path() / "support_table_XXXXXX").string();
  close(mkstemp(path.data()));
  std::ofstream(path) << text;
  setenv("SIM_CUDNN_TABLE", path.c_str(), 1);
}

}  // namespace

TEST(batch_norm_add_needs_an_activation) {
  CHECK(is_supported(Type::f32, [](Graph& g) { norm_add(g, dims, [](Graph& graph, Id sum) { return graph.relu(sum); }); }));
  CHECK(is_supported(Type::f32, [](Graph& g) {
    norm_add(g, dims, [](Graph& graph, Id sum) { return graph.relu(sum, {-FLT_MAX, FLT_MAX, 0}); });
  }));
  CHECK(!is_supported(Type::f32, [](Graph& g) { norm_add(g, dims, [](Graph&, Id sum) { return sum; }); }));
  CHECK(!is_supported(
      Type::f32, [](Graph& g) { norm_add(g, dims, [](Graph& graph, Id sum) { return graph.pointwise("identity", {sum}); }); }));
}

TEST(a_mask_is_made_of_what_the_relu_gives) {
  const auto masked = [](bool ofSum) {
    return [=](Graph& g) {
      norm_add(g, dims, [=](Graph& graph, Id sum) {
        const Id y = graph.relu(sum);
        graph.output(graph.pointwise("cmp_gt", {ofSum ? sum : y, graph.scalar(0)}), Type::boolean);
        return y;
      });
    };
  };
  CHECK(is_supported(Type::f32, masked(false)));
  CHECK(!is_supported(Type::f32, masked(true)));
}

TEST(batch_norm_needs_aligned_channels) {
  CHECK(is_supported(Type::f32,
                     [](Graph& g) { norm_add(g, {2, 36, 3, 5}, [](Graph& graph, Id sum) { return graph.relu(sum); }); }));
  CHECK(!is_supported(Type::f32,
                      [](Graph& g) { norm_add(g, {2, 6, 3, 5}, [](Graph& graph, Id sum) { return graph.relu(sum); }); }));
}

TEST(batch_norm_has_no_inference_node) {
  CHECK(!is_supported(Type::f32, [](Graph& g) {
    const Id x = g.tensor(dims, Type::f32);
    std::vector<Id> vectors;
    for (int i = 0; i < 4; ++i) vectors.push_back(g.tensor(channels, Type::f32));
    g.output(g.batch_norm_inference(x, vectors[0], vectors[1], vectors[2], vectors[3]), Type::f32);
  }));
}

TEST(a_masked_gradient_needs_a_virtual_y_of_the_io_type) {
  CHECK(is_supported(Type::f32, [](Graph& g) { masked_gradient(g, Type::f32, true, false); }));
  CHECK(is_supported(Type::bf16, [](Graph& g) {
    g.set_intermediate(Type::bf16);
    masked_gradient(g, Type::bf16, true, false);
  }));
  CHECK(!is_supported(Type::bf16, [](Graph& g) { masked_gradient(g, Type::bf16, true, false); }));
  CHECK(!is_supported(Type::f32, [](Graph& g) { masked_gradient(g, Type::f32, false, false); }));
  CHECK(!is_supported(Type::f32, [](Graph& g) { masked_gradient(g, Type::f32, true, true); }));
}

TEST(a_gradient_before_batch_norms_is_written_behind_a_multiplication_only) {
  const auto written = [](const std::string& mode) {
    return [=](Graph& g) {
      const Id dy = g.pointwise(mode, {g.tensor(dims, Type::f32), g.tensor(dims, Type::f32)});
      g.output(dy, Type::f32);
      const Id x = g.tensor(dims, Type::f32), scale = g.tensor(channels, Type::f32), mean = g.tensor(channels, Type::f32);
      const NormGradients out = g.batch_norm_backward(dy, x, scale, mean, g.tensor(channels, Type::f32));
      g.output(out.dx, Type::f32);
      g.output(out.dscale, Type::f32);
      g.output(out.dbias, Type::f32);
    };
  };
  CHECK(is_supported(Type::f32, written("mul")));
  CHECK(!is_supported(Type::f32, written("add")));
}

TEST(a_reduction_writes_f32) {
  const auto reduce = [](const std::string& mode, Type type) {
    return [=](Graph& g) { g.output(g.reduce(mode, g.tensor(dims, Type::bf16), channels), type); };
  };
  CHECK(is_supported(Type::bf16, reduce("add", Type::f32)));
  CHECK(!is_supported(Type::bf16, reduce("add", Type::bf16)));
  CHECK(!is_supported(Type::bf16, reduce("avg", Type::f32)));
}

TEST(the_key_names_what_support_depends_on) {
  const Device device;
  Graph graph(Type::bf16);
  const Id x = graph.tensor({2, 24, 9, 7}, Type::bf16, 40), w = graph.tensor({16, 6, 3, 3}, Type::bf16),
           b = graph.tensor({1, 16, 1, 1}, Type::bf16);
  const Id y = graph.pointwise("add", {graph.convolution(x, w, {{1, 1}, {1, 1}, {2, 2}, {1, 1}, {}}), b});
  graph.output(graph.relu(y, {-FLT_MAX, FLT_MAX, 0}), Type::bf16);
  graph.build(device.handle());
  CHECK_EQUAL(std::string(simCudnnLastKey()),
              "conv_fprop[f3 s2 grouped 2->4](0:bf16 pitched c8,1:bf16 c2)->2:f32 virtual c8; "
              "add(2,3:bf16 channel c8)->4:f32 virtual c8; relu_fwd[lowest](4)->5:bf16 c8");
}

TEST(a_table_decides) {
  const std::string key = "sm90 add(0:f32 c8,1:f32 c8)->2:f32 c8\n";
  setenv("SIM_CUDNN_TABLE", "/nowhere", 1);
  CHECK(!is_supported(Type::f32, [](Graph& g) {
    g.output(g.pointwise("add", {g.tensor(dims, Type::f32), g.tensor(dims, Type::f32)}), Type::f32);
  }));
  const auto plans_with = [&](const std::string& text) -> std::int64_t {
    use_table(text);
    static const Device device;
    AddGraph add;
    const std::string error = error_of([&] { add.graph->build(device.handle()); });
    std::filesystem::remove(std::getenv("SIM_CUDNN_TABLE"));
    return error.empty() ? add.graph->plans() : 0;
  };
  CHECK_EQUAL(plans_with("# comment\n2 " + key), 2);
  CHECK_EQUAL(plans_with("40 " + key), 4);
  CHECK_EQUAL(plans_with("0 " + key), 0);
  CHECK_EQUAL(plans_with("5 sm80 add(0:f32 c8,1:f32 c8)->2:f32 c8\n"), 0);   // no row for this graph
}
