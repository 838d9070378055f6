// Pointwise operations, reductions, and the conversions between types.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "tests/cudnn/plain.h"
#include "tests/cudnn/run.h"
#include "tests/harness.h"

using namespace frontend;

namespace {

const Dims dims{2, 8, 3, 5}, channels{1, 8, 1, 1};

void check_binary(const std::string& mode, const Array& a, const Array& b, const std::function<double(double, double)>& f,
                  Type type = Type::f32) {
  const DeviceTensor da(a, type), db(b, type), dy(a.dims, type);
  Graph graph(type);
  const Id x = graph.tensor(a.dims, type), z = graph.tensor(b.dims, type);
  const Id y = graph.output(graph.pointwise(mode, {x, z}), type);
  build_and_run(graph, {{x, da.data()}, {z, db.data()}, {y, dy.data()}});
  CHECK_CLOSE(dy.download(), plain::combined(a, b, f), spacing_of(type) / 2);
}

void check_unary(const std::string& mode, const Array& a, const std::function<double(double)>& f) {
  const DeviceTensor da(a, Type::f32), dy(a.dims, Type::f32);
  Graph graph(Type::f32);
  const Id x = graph.tensor(a.dims, Type::f32), y = graph.output(graph.pointwise(mode, {x}), Type::f32);
  build_and_run(graph, {{x, da.data()}, {y, dy.data()}});
  CHECK_CLOSE(dy.download(), plain::mapped(a, f), 2e-7);
}

Array relu_of(const Array& a, const Clip& clip) {
  const DeviceTensor da(a, Type::f32), dy(a.dims, Type::f32);
  Graph graph(Type::f32);
  const Id x = graph.tensor(a.dims, Type::f32), y = graph.output(graph.relu(x, clip), Type::f32);
  build_and_run(graph, {{x, da.data()}, {y, dy.data()}});
  return dy.download();
}

}  // namespace

TEST(arithmetic) {
  const Array a = drawn(dims, 1), b = drawn(dims, 2);
  check_binary("add", a, b, std::plus<double>());
  check_binary("sub", a, b, std::minus<double>());
  check_binary("mul", a, b, std::multiplies<double>());
  check_binary("div", a, drawn_from(dims, 3, 1), std::divides<double>());
  check_binary("max", a, b, [](double x, double y) { return std::max(x, y); });
  check_binary("min", a, b, [](double x, double y) { return std::min(x, y); });
}

TEST(comparisons) {
  const Array a = drawn(dims, 1), b = drawn(dims, 2);
  check_binary("cmp_gt", a, b, std::greater<double>());
  check_binary("cmp_ge", a, b, std::greater_equal<double>());
  check_binary("cmp_lt", a, b, std::less<double>());
  check_binary("cmp_le", a, b, std::less_equal<double>());
  check_binary("cmp_eq", a, a, std::equal_to<double>());
  check_binary("cmp_neq", a, b, std::not_equal_to<double>());
}

TEST(functions) {
  const Array a = drawn(dims, 1), positive = drawn_from(dims, 2, 0.125);
  check_unary("exp", a, [](double x) { return std::exp(x); });
  check_unary("tanh_fwd", a, [](double x) { return std::tanh(x); });
  check_unary("sigmoid_fwd", a, [](double x) { return 1 / (1 + std::exp(-x)); });
  check_unary("swish_fwd", a, [](double x) { return x / (1 + std::exp(-x)); });
  check_unary("identity", a, [](double x) { return x; });
  check_unary("neg", a, [](double x) { return -x; });
  check_unary("abs", a, [](double x) { return std::fabs(x); });
  check_unary("log", positive, [](double x) { return std::log(x); });
  check_unary("sqrt", positive, [](double x) { return std::sqrt(x); });
  check_unary("rsqrt", positive, [](double x) { return 1 / std::sqrt(x); });
}

TEST(a_channel_vector_is_broadcast) { check_binary("mul", drawn(dims, 1), drawn(channels, 2), std::multiplies<double>()); }

TEST(results_are_rounded_once_to_16_bits) {
  // 1/3 of small integers: hardly ever a 16-bit number; large ones overflow f16 to infinity.
  for (const Type type : {Type::bf16, Type::f16})
    check_binary("div", drawn(dims, 1), drawn_from(dims, 2, 3), std::divides<double>(), type);
  Array large(dims), one(dims);
  std::fill(large.values.begin(), large.values.end(), 60000.0);
  std::fill(one.values.begin(), one.values.end(), 6000.0);
  const DeviceTensor da(large, Type::f16), db(one, Type::f16), dy(dims, Type::f16);
  Graph graph(Type::f16);
  const Id x = graph.tensor(dims, Type::f16), z = graph.tensor(dims, Type::f16),
           y = graph.output(graph.pointwise("add", {x, z}), Type::f16);
  build_and_run(graph, {{x, da.data()}, {z, db.data()}, {y, dy.data()}});
  CHECK(std::isinf(dy.download().values[0]));
}

// Random bits of f32, so that all magnitudes occur: infinities, the subnormals of both types, and numbers that become 0.
TEST(conversions_to_16_bits_are_those_of_cuda) {
  std::mt19937 random(1);
  Array bits({8, 8, 16, 16});
  for (double& value : bits.values) {
    const std::uint32_t word = random() % 3 == 0
                                   ? random()
                                   : 0x33000000u + random() % 0x06000000u;   // a third anywhere, the rest about f16's subnormals
    float number;
    std::memcpy(&number, &word, sizeof number);
    value = number == number ? number : 0;
  }
  for (const Type type : {Type::bf16, Type::f16}) {
    const DeviceTensor in(bits, Type::f32), out(bits.dims, type);
    Graph graph(type);
    const Id x = graph.tensor(bits.dims, Type::f32), y = graph.output(graph.pointwise("identity", {x}), type);
    build_and_run(graph, {{x, in.data()}, {y, out.data()}});
    CHECK(out.download().values == DeviceTensor(bits, type).download().values);
  }
}

TEST(binary_select_takes_x_where_the_mask_is_set) {
  const Array a = drawn(dims, 1), b = drawn(dims, 2);
  const DeviceTensor da(a, Type::f32), db(b, Type::f32), dy(dims, Type::f32);
  Graph graph(Type::f32);
  const Id x = graph.tensor(dims, Type::f32), z = graph.tensor(dims, Type::f32);
  const Id y = graph.output(graph.pointwise("binary_select", {x, z, graph.pointwise("cmp_gt", {x, z})}), Type::f32);
  build_and_run(graph, {{x, da.data()}, {z, db.data()}, {y, dy.data()}});
  CHECK_CLOSE(dy.download(), plain::combined(a, b, [](double p, double q) { return std::max(p, q); }), 0);
}

TEST(a_boolean_mask_has_one_bit_a_value) {
  const Array a = drawn({2, 16, 1, 1}, 1), zero({2, 16, 1, 1});
  const DeviceTensor da(a, Type::f32), dz(zero, Type::f32), mask({1, 4, 1, 1}, Type::i8);
  Graph graph(Type::f32);
  const Id x = graph.tensor(a.dims, Type::f32), z = graph.tensor(a.dims, Type::f32),
           m = graph.output(graph.pointwise("cmp_gt", {x, z}), Type::boolean);
  build_and_run(graph, {{x, da.data()}, {z, dz.data()}, {m, mask.data()}});
  for (int i = 0; i < 32; ++i) {
    const int byte = static_cast<int>(mask.download().values[static_cast<std::size_t>(i / 8)]);
    CHECK_EQUAL((byte >> i % 8 & 1) != 0, a.values[static_cast<std::size_t>(i)] > 0);
  }
}

TEST(relu_has_two_clips_and_a_slope) {
  Array a = drawn(dims, 1);
  a.values[3] = std::nan("");
  CHECK_CLOSE(relu_of(a, {}), plain::mapped(a, [](double v) { return v < 0 ? 0 : v; }), 0);
  CHECK_CLOSE(relu_of(a, {-1, 1, 0}), plain::mapped(a, [](double v) { return v != v ? v : std::min(std::max(v, -1.0), 1.0); }),
              0);
  CHECK_CLOSE(relu_of(a, {-1, FLT_MAX, 0.5f}), plain::mapped(a, [](double v) { return v < -1 ? -1 + 0.5 * (v + 1) : v; }), 0);
  CHECK_CLOSE(relu_of(a, {-FLT_MAX, FLT_MAX, 0}), a, 0);
}

TEST(relu_gradient_is_zero_at_zero) {
  const Array dy = drawn(dims, 1), x = drawn(dims, 2);   // x has zeros
  for (const Type type : {Type::f32, Type::bf16, Type::f16}) {
    const DeviceTensor ddy(dy, type), dx(x, type), out(dims, type);
    Graph graph(type);
    const Id a = graph.tensor(dims, type), b = graph.tensor(dims, type), c = graph.output(graph.relu_backward(a, b), type);
    build_and_run(graph, {{a, ddy.data()}, {b, dx.data()}, {c, out.data()}});
    CHECK_CLOSE(out.download(), plain::combined(dy, x, [](double d, double v) { return v > 0 ? d : 0; }), 0);
  }
}

TEST(relu_gradient_with_clips_and_a_slope) {
  const Array dy = drawn(dims, 1), x = drawn(dims, 2);
  const DeviceTensor ddy(dy, Type::f32), dx(x, Type::f32), out(dims, Type::f32);
  Graph graph(Type::f32);
  const Id a = graph.tensor(dims, Type::f32), b = graph.tensor(dims, Type::f32);
  const Id c = graph.output(graph.relu_backward(a, b, {-1, 1, 0.5f}), Type::f32);
  build_and_run(graph, {{a, ddy.data()}, {b, dx.data()}, {c, out.data()}});
  CHECK_CLOSE(out.download(), plain::combined(dy, x, [](double d, double v) { return v <= -1 ? 0.5 * d : v < 1 ? d : 0; }), 0);
}

TEST(reductions_over_all_but_the_channels) {
  const Array x = drawn(dims, 1);
  const auto expected = [&](const std::function<double(double, double)>& f) {
    Array y(channels);
    for (std::size_t i = 0; i < x.values.size(); ++i) y.values[i % 8] = i < 8 ? x.values[i] : f(y.values[i % 8], x.values[i]);
    return y;
  };
  const std::map<std::string, std::function<double(double, double)>> modes = {
      {"add", std::plus<double>()}, {"max", [](double a, double b) { return std::max(a, b); }}, {"min", [](double a, double b) {
                                                                                                   return std::min(a, b);
                                                                                                 }}};
  for (const auto& [mode, f] : modes) {
    const DeviceTensor dx(x, Type::bf16), dy(channels, Type::f32);
    Graph graph(Type::bf16);
    const Id a = graph.tensor(dims, Type::bf16), y = graph.output(graph.reduce(mode, a, channels), Type::f32);
    build_and_run(graph, {{a, dx.data()}, {y, dy.data()}});
    CHECK_CLOSE(dy.download(), expected(f), 0);
  }
}

TEST(a_reduction_over_the_channels) {
  const Array x = drawn(dims, 1);
  const Dims reduced{2, 1, 3, 5};
  const DeviceTensor dx(x, Type::f32), dy(reduced, Type::f32);
  Graph graph(Type::f32);
  const Id a = graph.tensor(dims, Type::f32), y = graph.output(graph.reduce("add", a, reduced), Type::f32);
  build_and_run(graph, {{a, dx.data()}, {y, dy.data()}});
  Array expected(reduced);
  for (std::size_t i = 0; i < x.values.size(); ++i) expected.values[i / 8] += x.values[i];
  CHECK_CLOSE(dy.download(), expected, 0);
}
