// Executions: in stream order, in capture, after serialising; pointers that are wrong.
#include "tests/cudnn/add_graph.h"
#include "tests/cudnn/plain.h"
#include "tests/harness.h"

using namespace frontend;

namespace {

void upload(const DeviceTensor& target, const Array& array) {
  std::vector<float> values(array.values.begin(), array.values.end());
  CHECK_EQUAL(cudaMemcpy(target.data(), values.data(), values.size() * sizeof(float), cudaMemcpyHostToDevice), cudaSuccess);
}

/// y = batch norm of x, with epsilon passed by value.
struct NormGraph {
  Dims dims{2, 8, 3, 5}, channels{1, 8, 1, 1};
  DeviceTensor x{drawn(dims, 1), Type::f32}, scale{drawn(channels, 2), Type::f32}, bias{drawn(channels, 3), Type::f32};
  DeviceTensor y{dims, Type::f32}, mean{channels, Type::f32}, inverse{channels, Type::f32};
  std::unique_ptr<Graph> graph = std::make_unique<Graph>(Type::f32);
  std::map<Id, void*> pointers;

  NormGraph() {
    const Id a = graph->tensor(dims, Type::f32), b = graph->tensor(channels, Type::f32), c = graph->tensor(channels, Type::f32);
    const Norm norm = graph->batch_norm(a, b, c, 0.5f);
    for (const Id id : {norm.y, norm.mean, norm.inverse}) graph->output(id, Type::f32);
    pointers = {{a, x.data()},      {b, scale.data()},        {c, bias.data()},
                {norm.y, y.data()}, {norm.mean, mean.data()}, {norm.inverse, inverse.data()}};
  }
};

}  // namespace

TEST(an_execution_waits_for_its_stream) {
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  CHECK_EQUAL(cudaMemsetAsync(add.da.data(), 0, add.a.values.size() * sizeof(float), device.stream()), cudaSuccess);
  add.graph->execute(device.handle(), add.pointers(), nullptr, 0);
  device.synchronise();
  CHECK_CLOSE(add.dy.download(), add.b, 0);
}

TEST(scalars_are_read_at_the_call) {
  const Device device;
  AddGraph tensors;
  Graph graph(Type::f32);
  const Id x = graph.tensor(tensors.dims, Type::f32), factor = graph.host_scalar(),
           y = graph.output(graph.pointwise("mul", {x, factor}), Type::f32);
  graph.build(device.handle());
  float value = 2;
  graph.execute(device.handle(), {{x, tensors.da.data()}, {factor, &value}, {y, tensors.dy.data()}}, nullptr, 0);
  value = 3;
  device.synchronise();
  CHECK_CLOSE(tensors.dy.download(), plain::mapped(tensors.a, [](double v) { return 2 * v; }), 0);
}

TEST(an_execution_outlives_its_graph) {
  const Device device;
  NormGraph norm;
  norm.graph->build(device.handle());
  run(device, *norm.graph, norm.pointers);
  const Array expected = norm.y.download();
  CHECK_EQUAL(cudaMemset(norm.y.data(), 0, expected.values.size() * sizeof(float)), cudaSuccess);
  norm.graph->execute(device.handle(), norm.pointers, nullptr, 0);
  norm.graph.reset();
  device.synchronise();
  CHECK_CLOSE(norm.y.download(), expected, 0);
}

TEST(an_execution_can_be_captured_and_replayed) {
  const Device device;
  NormGraph norm;
  norm.graph->build(device.handle());
  for (std::int64_t plan = 0; plan < 3; ++plan) {
    void* workspace = workspace_for(*norm.graph, plan);
    run(device, *norm.graph, norm.pointers, plan);
    const Array expected = norm.y.download();
    const Array other = drawn(norm.dims, 9);
    CHECK_EQUAL(cudaMemset(norm.y.data(), 0, expected.values.size() * sizeof(float)), cudaSuccess);
    cudaGraph_t captured;
    cudaGraphExec_t replayed;
    CHECK_EQUAL(cudaStreamBeginCapture(device.stream(), cudaStreamCaptureModeGlobal), cudaSuccess);
    norm.graph->execute(device.handle(), norm.pointers, workspace, plan);
    CHECK_EQUAL(cudaStreamEndCapture(device.stream(), &captured), cudaSuccess);
    CHECK_EQUAL(cudaGraphInstantiate(&replayed, captured, 0), cudaSuccess);
    device.synchronise();
    CHECK_CLOSE(norm.y.download(), Array(norm.dims), 0);   // nothing runs while it is captured
    CHECK_EQUAL(cudaGraphLaunch(replayed, device.stream()), cudaSuccess);
    device.synchronise();
    CHECK_CLOSE(norm.y.download(), expected, 0);
    upload(norm.x, other);
    CHECK_EQUAL(cudaGraphLaunch(replayed, device.stream()), cudaSuccess);
    device.synchronise();
    CHECK(norm.y.download().values != expected.values);
    upload(norm.x, drawn(norm.dims, 1));
  }
}

TEST(a_plan_survives_as_bytes) {
  const Device device;
  NormGraph norm;
  norm.graph->build(device.handle());
  run(device, *norm.graph, norm.pointers);
  const Array expected = norm.y.download();
  const Blob blob = norm.graph->serialise();
  norm.graph.reset();
  CHECK_EQUAL(cudaMemset(norm.y.data(), 0, expected.values.size() * sizeof(float)), cudaSuccess);
  const auto loaded = Graph::from(device.handle(), blob);
  run(device, *loaded, norm.pointers);
  CHECK_CLOSE(norm.y.download(), expected, 0);
}

TEST(bytes_of_another_version_are_refused) {
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  Blob blob = add.graph->serialise();
  const std::string text(blob.begin(), blob.end());
  const std::size_t at = text.find("simulated-plan 9");
  CHECK(at != std::string::npos);
  blob[at + 15] = '8';
  CHECK(error_of([&] { Graph::from(device.handle(), blob); }) != "");
}

TEST(wrong_pointers_are_refused) {
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  std::vector<float> host(add.a.values.size());
  const auto error_with = [&](void* pointer) {
    auto pointers = add.pointers();
    pointers[add.x] = pointer;
    return error_of([&] { add.graph->execute(device.handle(), pointers, nullptr, 0); });
  };
  CHECK(error_with(nullptr) != "");
  CHECK(error_with(host.data()) != "");
  CHECK(error_with(static_cast<float*>(add.da.data()) + 1) != "");   // not aligned to 16 bytes
  CHECK(error_with(DeviceTensor({1, 64, 1, 1}, Type::f32).data()) != "");   // too small
  void* freed = DeviceTensor(add.dims, Type::f32).data();
  CHECK_EQUAL(cudaFree(freed), cudaSuccess);
  CHECK(error_with(freed) != "");
  CHECK_EQUAL(error_with(add.da.data()), "");
  device.synchronise();
}

DEATH_TEST(a_pointer_freed_before_a_replay_is_found, "of a freed 960-byte allocation") {
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  cudaGraph_t captured;
  cudaGraphExec_t replayed;
  CHECK_EQUAL(cudaStreamBeginCapture(device.stream(), cudaStreamCaptureModeGlobal), cudaSuccess);
  add.graph->execute(device.handle(), add.pointers(), nullptr, 0);
  CHECK_EQUAL(cudaStreamEndCapture(device.stream(), &captured), cudaSuccess);
  CHECK_EQUAL(cudaGraphInstantiate(&replayed, captured, 0), cudaSuccess);
  CHECK_EQUAL(cudaFree(add.da.data()), cudaSuccess);
  CHECK_EQUAL(cudaGraphLaunch(replayed, device.stream()), cudaSuccess);
  device.synchronise();
}
