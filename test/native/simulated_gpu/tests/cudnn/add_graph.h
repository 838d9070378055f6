// The smallest graph for tests of plans and executions: y = a + b.
#pragma once

#include "tests/cudnn/run.h"

namespace frontend {

struct AddGraph {
  Dims dims{2, 8, 3, 5};
  Array a = drawn(dims, 1), b = drawn(dims, 2);
  DeviceTensor da{a, Type::f32}, db{b, Type::f32}, dy{dims, Type::f32};
  std::unique_ptr<Graph> graph = std::make_unique<Graph>(Type::f32);
  Id x = graph->tensor(dims, Type::f32), z = graph->tensor(dims, Type::f32),
     y = graph->output(graph->pointwise("add", {x, z}), Type::f32);

  std::map<Id, void*> pointers() const { return {{x, da.data()}, {z, db.data()}, {y, dy.data()}}; }
  Array expected() const {
    Array sum = a;
    for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += b.values[i];
    return sum;
  }
};

}  // namespace frontend
