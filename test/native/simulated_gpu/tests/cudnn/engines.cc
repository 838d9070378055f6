// The engines: names, notes and workspaces; those that lie and the one that never gives the same bits twice.
#include <cstdlib>

#include "tests/cudnn/add_graph.h"
#include "tests/harness.h"

using namespace frontend;

namespace {

std::string names_of(const Graph& graph) {
  std::string names;
  for (std::int64_t plan = 0; plan < graph.plans(); ++plan) names += graph.plan_name(plan) + " ";
  return names;
}

}  // namespace

TEST(engines_have_names_with_their_knobs) {
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  CHECK_EQUAL(names_of(*add.graph), "eng5_k2=1_k14=3 eng8_k2=3 eng12 eng34_k12=1 ");
}

TEST(engines_have_workspaces) {
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  CHECK_EQUAL(add.graph->workspace(0), 0);
  CHECK_EQUAL(add.graph->workspace(1), 4096);
  CHECK_EQUAL(add.graph->workspace(2), 65536);
}

TEST(engines_can_be_set) {
  setenv("SIM_CUDNN_ENGINES", "7 knob=2:4;9 workspace=256", 1);
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  CHECK_EQUAL(names_of(*add.graph), "eng7_k2=4 eng9 ");
  CHECK_EQUAL(add.graph->workspace(1), 256);
}

TEST(honest_engines_agree) {
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  for (std::int64_t plan = 0; plan < add.graph->plans(); ++plan) {
    run(device, *add.graph, add.pointers(), plan);
    CHECK_CLOSE(add.dy.download(), add.expected(), 0);
  }
}

TEST(one_engine_lies) {
  setenv("SIM_CUDNN_LIE", "8", 1);
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  run(device, *add.graph, add.pointers(), 0);
  CHECK_CLOSE(add.dy.download(), add.expected(), 0);
  run(device, *add.graph, add.pointers(), 1);
  const Array lie = add.dy.download(), truth = add.expected();
  for (std::size_t i = 0; i < lie.values.size(); ++i) CHECK_EQUAL(lie.values[i] != truth.values[i], i % 5 == 0);
}

TEST(an_engine_is_wrong_in_one_result) {
  setenv("SIM_CUDNN_ENGINES", "7 lies=2;8 lies=1;9 leaves=2;10 leaves=1", 1);
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  const Array truth = add.expected(), before = add.dy.download();
  run(device, *add.graph, add.pointers(), 3);
  CHECK(add.dy.download().values == before.values);
  for (const std::int64_t honest : {0, 2}) {
    run(device, *add.graph, add.pointers(), 1);
    CHECK(add.dy.download().values[0] != truth.values[0]);
    run(device, *add.graph, add.pointers(), honest);
    CHECK_CLOSE(add.dy.download(), truth, 0);
  }
}

TEST(a_nondeterministic_engine_gives_other_bits) {
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  run(device, *add.graph, add.pointers(), 3);
  const Array first = add.dy.download();
  run(device, *add.graph, add.pointers(), 3);
  CHECK(first.values != add.dy.download().values);
}

TEST(nondeterministic_engines_can_be_left_out) {
  const Device device;
  AddGraph add;
  add.graph->build(device.handle(), true);
  for (std::int64_t plan = 0; plan < 3; ++plan) CHECK(add.graph->workspace(plan) >= 0);
  CHECK(error_of([&] { run(device, *add.graph, add.pointers(), 3); }) != "");
}

TEST(a_missing_workspace_is_refused) {
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  CHECK(error_of([&] { add.graph->execute(device.handle(), add.pointers(), nullptr, 1); }) != "");
}

TEST(a_workspace_that_is_too_small_is_refused) {
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  CHECK(error_of([&] {
          add.graph->execute(device.handle(), add.pointers(), DeviceTensor({1, 64, 1, 1}, Type::f32).data(), 1);
        }) != "");
}

TEST(a_workspace_is_overwritten) {
  const Device device;
  AddGraph add;
  add.graph->build(device.handle());
  const DeviceTensor workspace({1, 1024, 1, 1}, Type::f32);
  const Array before = workspace.download();
  add.graph->execute(device.handle(), add.pointers(), workspace.data(), 1);
  device.synchronise();
  CHECK(workspace.download().values != before.values);
}
