// The three convolutions and their fusions against plain loops.
#include "tests/cudnn/plain.h"
#include "tests/cudnn/run.h"
#include "tests/harness.h"

using namespace frontend;

namespace {

struct Shape {
  Dims x, w;
  Window window;
  Dims y() const { return plain::convolution(Array(x), Array(w), window).dims; }
};

const Shape uneven{{2, 8, 9, 7}, {16, 8, 3, 3}, {{0, 1}, {2, 1}, {2, 1}, {1, 1}, {}}};
const Shape dilated{{1, 8, 9, 10}, {8, 8, 3, 2}, {{2, 1}, {2, 1}, {1, 2}, {2, 3}, {}}};
const Shape grouped{{2, 24, 5, 6}, {16, 6, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {}}};
const Shape stem{{1, 3, 11, 11}, {8, 3, 7, 7}, {{3, 3}, {3, 3}, {2, 2}, {1, 1}, {}}};
const Shape* const shapes[] = {&uneven, &dilated, &grouped, &stem};
const Type types[] = {Type::f32, Type::bf16, Type::f16};

/// conv (+ bias) (+ residual) (+ ReLU), in one type.
struct Fusion {
  bool bias, residual;
  const Clip* clip;   // nullptr: no activation node
};

void check_forward(const Shape& shape, Type type, const Fusion& fusion, std::int64_t xPitch = 0, std::int64_t yPitch = 0) {
  const Dims dims = shape.y(), channels{1, shape.w[0], 1, 1};
  const Array x = drawn(shape.x, 1), w = drawn(shape.w, 2), b = drawn(channels, 3), r = drawn(dims, 4);
  const DeviceTensor dx(x, type, xPitch), dw(w, type), db(b, type), dr(r, type), dy(dims, type, yPitch);
  Graph graph(type);
  std::map<Id, void*> pointers;
  const auto input = [&](const Dims& of, const DeviceTensor& memory, std::int64_t pitch) {
    const Id id = graph.tensor(of, type, pitch);
    pointers[id] = memory.data();
    return id;
  };
  Array expected = plain::convolution(x, w, shape.window);
  const Id image = input(shape.x, dx, xPitch), filter = input(shape.w, dw, 0);
  Id y = graph.convolution(image, filter, shape.window);
  if (fusion.bias) {
    y = graph.pointwise("add", {y, input(channels, db, 0)});
    expected = plain::combined(expected, b, std::plus<double>());
  }
  if (fusion.residual) {
    y = graph.pointwise("add", {y, input(dims, dr, 0)});
    expected = plain::combined(expected, r, std::plus<double>());
  }
  if (fusion.clip != nullptr) {
    const Clip clip = *fusion.clip;
    y = graph.relu(y, clip);
    expected = plain::mapped(expected, [&](double v) {
      return v < clip.lower ? clip.lower + clip.slope * (v - clip.lower) : std::min<double>(v, clip.upper);
    });
  }
  graph.output(y, type, dims, yPitch);
  pointers[y] = dy.data();
  build_and_run(graph, pointers);
  CHECK_CLOSE(dy.download(), expected, spacing_of(type) / 2);
  CHECK(dy.gaps_are_untouched());
}

const Clip relu{};
const Clip clipped{-0.5f, 3.0f, 0.25f};

}  // namespace

TEST(convolution_alone) {
  for (const Shape* shape : shapes) check_forward(*shape, Type::f32, {false, false, nullptr});
}

TEST(convolution_bias_relu) {
  for (const Type type : types) check_forward(uneven, type, {true, false, &relu});
}

TEST(convolution_bias_relu_with_both_clips_and_a_slope) { check_forward(uneven, Type::f32, {true, false, &clipped}); }

TEST(convolution_bias_erased) {
  for (const Type type : types) check_forward(dilated, type, {true, false, nullptr});
}

TEST(convolution_bias_add_relu) {
  for (const Type type : types) check_forward(grouped, type, {true, true, &relu});
}

TEST(convolution_of_pitched_tensors) {
  for (const Type type : types) check_forward(uneven, type, {false, false, nullptr}, 24, 40);
}

TEST(convolution_data_gradient) {
  for (const Shape* shape : shapes) {
    const Array dy = drawn(shape->y(), 5), w = drawn(shape->w, 6);
    const DeviceTensor ddy(dy, Type::f32), dw(w, Type::f32), ddx(shape->x, Type::f32);
    Graph graph(Type::f32);
    const Id a = graph.tensor(dy.dims, Type::f32), b = graph.tensor(w.dims, Type::f32);
    const Id dx = graph.output(graph.convolution_data(a, b, shape->x, shape->window), Type::f32);
    build_and_run(graph, {{a, ddy.data()}, {b, dw.data()}, {dx, ddx.data()}});
    CHECK_CLOSE(ddx.download(), plain::convolution_data(dy, w, shape->x, shape->window), spacing_of(Type::f32) / 2);
  }
}

TEST(convolution_data_gradient_plus_addend) {
  for (const Type type : types) {
    const Array dy = drawn(grouped.y(), 5), w = drawn(grouped.w, 6), addend = drawn(grouped.x, 7);
    const DeviceTensor ddy(dy, type), dw(w, type), da(addend, type), ddx(grouped.x, type);
    Graph graph(type);
    const Id a = graph.tensor(dy.dims, type), b = graph.tensor(w.dims, type), c = graph.tensor(addend.dims, type);
    const Id virtualDx = graph.convolution_data(a, b, grouped.x, grouped.window);
    const Id dx = graph.output(graph.pointwise("add", {virtualDx, c}), type);
    build_and_run(graph, {{a, ddy.data()}, {b, dw.data()}, {c, da.data()}, {dx, ddx.data()}});
    const Array expected =
        plain::combined(plain::convolution_data(dy, w, grouped.x, grouped.window), addend, std::plus<double>());
    CHECK_CLOSE(ddx.download(), expected, spacing_of(type) / 2);
  }
}

TEST(convolution_filter_gradient) {
  for (const Shape* shape : shapes)
    for (const Type type : types) {
      const Array dy = drawn(shape->y(), 8), x = drawn(shape->x, 9);
      const DeviceTensor ddy(dy, type), dx(x, type), ddw(shape->w, type);
      Graph graph(type);
      const Id a = graph.tensor(dy.dims, type), b = graph.tensor(x.dims, type);
      const Id dw = graph.output(graph.convolution_filter(a, b, shape->w, shape->window), type);
      build_and_run(graph, {{a, ddy.data()}, {b, dx.data()}, {dw, ddw.data()}});
      CHECK_CLOSE(ddw.download(), plain::convolution_filter(dy, x, shape->w, shape->window), spacing_of(type) / 2);
    }
}
