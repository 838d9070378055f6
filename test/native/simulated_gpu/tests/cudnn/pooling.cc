// Pooling forward. Its gradients, which cudnn-frontend cannot express, are in golden.cc.
#include <cmath>
#include <limits>

#include "tests/cudnn/run.h"
#include "tests/harness.h"

using namespace frontend;

namespace {

const Window window{{1, 0}, {0, 2}, {2, 1}, {1, 1}, {3, 3}};
const Dims dims{2, 8, 6, 5}, pooled{2, 8, 3, 5};

/// The values of one window with their places, row by row; padding left out.
std::vector<std::pair<int, double>> members(const Array& x, std::int64_t n, std::int64_t c, std::int64_t p, std::int64_t q) {
  std::vector<std::pair<int, double>> result;
  for (int place = 0; place < 9; ++place) {
    const std::int64_t h = p * 2 - 1 + place / 3, w = q + place % 3;
    if (h >= 0 && h < x.dims[2] && w >= 0 && w < x.dims[3]) result.emplace_back(place, x.at(n, c, h, w));
  }
  return result;
}

template <typename Value>
Array expected_of(Value value) {
  Array y(pooled);
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t c = 0; c < 8; ++c)
      for (std::int64_t p = 0; p < 3; ++p)
        for (std::int64_t q = 0; q < 5; ++q) y.at(n, c, p, q) = value(n, c, p, q);
  return y;
}

std::pair<int, double> first_largest(const std::vector<std::pair<int, double>>& values) {
  std::pair<int, double> best = values.front();
  for (const auto& each : values)
    if (best.second == best.second && (each.second > best.second || each.second != each.second)) best = each;
  return best;
}

}  // namespace

TEST(max_pooling_with_the_index_of_the_first_maximum) {
  Array x = drawn(dims, 1);   // 33 values: full of ties
  x.values[40] = std::nan("");
  for (const Type type : {Type::f32, Type::bf16, Type::f16}) {
    const DeviceTensor dx(x, type), dy(pooled, type), index(pooled, Type::i8);
    Graph graph(type);
    const Id a = graph.tensor(dims, type);
    const Pooled out = graph.pool("max", a, window, true);
    graph.output(out.y, type);
    graph.output(out.index, Type::i8);
    build_and_run(graph, {{a, dx.data()}, {out.y, dy.data()}, {out.index, index.data()}});
    CHECK_CLOSE(dy.download(),
                expected_of([&](auto n, auto c, auto p, auto q) { return first_largest(members(x, n, c, p, q)).second; }), 0);
    CHECK_CLOSE(index.download(),
                expected_of([&](auto n, auto c, auto p, auto q) { return first_largest(members(x, n, c, p, q)).first; }), 0);
  }
}

TEST(average_pooling_with_and_without_the_padding) {
  const Array x = drawn(dims, 1);
  for (const std::string mode : {"avg_include", "avg_exclude"}) {
    const DeviceTensor dx(x, Type::f32), dy(pooled, Type::f32);
    Graph graph(Type::f32);
    const Id a = graph.tensor(dims, Type::f32), y = graph.output(graph.pool(mode, a, window).y, Type::f32);
    build_and_run(graph, {{a, dx.data()}, {y, dy.data()}});
    CHECK_CLOSE(dy.download(), expected_of([&](auto n, auto c, auto p, auto q) {
                  double sum = 0;
                  const auto values = members(x, n, c, p, q);
                  for (const auto& each : values) sum += each.second;
                  return sum / (mode == "avg_include" ? 9 : static_cast<double>(values.size()));
                }),
                spacing_of(Type::f32) / 2);
  }
}

TEST(global_average_pooling) {
  const Array x = drawn(dims, 1);
  const DeviceTensor dx(x, Type::f32), dy({2, 8, 1, 1}, Type::f32);
  Graph graph(Type::f32);
  const Id a = graph.tensor(dims, Type::f32);
  const Id y = graph.output(graph.pool("avg_include", a, {{0, 0}, {0, 0}, {1, 1}, {1, 1}, {6, 5}}).y, Type::f32);
  build_and_run(graph, {{a, dx.data()}, {y, dy.data()}});
  Array expected({2, 8, 1, 1});
  for (std::size_t i = 0; i < x.values.size(); ++i) expected.values[i / 240 * 8 + i % 8] += x.values[i] / 30;
  CHECK_CLOSE(dy.download(), expected, 2e-7);
}
