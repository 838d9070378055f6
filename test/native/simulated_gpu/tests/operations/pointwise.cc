// pointwise, scaleSamples and dropout.
#include "operation.h"

namespace {

const Shape shapes[] = {{2, 5, 5, 3}, {7}, {1, 1}, {5, 1, 1, 10}, {3, 16, 16, 20}};

Values positive(std::int64_t n) { return integers(n, 1, 12); }

}  // namespace

TEST(functions_of_one_operand) {
  for (const char* fn : {"exp", "log", "sqrt", "sigmoid", "tanh", "abs", "neg", "square", "clamp", "affine", "pow"})
    for (const DType dtype : floats)
      for (const Shape& shape : shapes) {
        const std::string name = fn;
        const bool roots = name == "log" || name == "sqrt" || name == "pow";
        Operation operation("pointwise");
        operation.read("a", dtype, shape, roots ? positive(elements_of(shape)) : draw(elements_of(shape))).without("b");
        operation.write("y", dtype, shape).set("fn", name).set("alpha", -0.5).set("beta", 0.75);
        compare(operation, cuda::pointwise, tolerance_of(dtype));
      }
}

TEST(functions_of_two_operands_stretch) {
  const std::pair<Shape, Shape> pairs[] = {
      {{2, 3, 4, 5}, {2, 3, 4, 5}}, {{2, 3, 4, 5}, {1, 1, 1, 5}}, {{1, 1, 1, 1}, {2, 3, 4, 5}}, {{2, 1, 1, 5}, {1, 3, 4, 1}},
      {{3, 1, 7}, {3, 4, 1}},       {{6}, {1}},                   {{2, 9, 9, 24}, {2, 1, 1, 24}}, {{2, 9, 9, 1}, {2, 9, 9, 16}}};
  for (const char* fn : {"add", "sub", "mul", "div", "max", "min", "eq", "gt", "clampGrad"})
    for (const DType dtype : floats)
      for (const auto& [a, b] : pairs) {
        Shape y = a;
        for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::max(a[i], b[i]);
        Operation operation("pointwise");
        operation.read("a", dtype, a).read("b", dtype, b, positive(elements_of(b))).write("y", dtype, y);
        compare(operation.set("fn", fn).set("alpha", -1.0).set("beta", 0.5), cuda::pointwise, tolerance_of(dtype));
      }
}

TEST(pointwise_keeps_NaN_and_infinity) {
  constexpr double infinity = HUGE_VAL;
  const Values special = {NAN, infinity, -infinity, 0, -0.0, 1, -1}, turned = {1, NAN, 2, NAN, 0, -1, infinity};
  for (const char* fn : {"abs", "neg", "square", "clamp"}) {
    Operation operation("pointwise");
    operation.read("a", DType::f32, {7}, special).without("b").write("y", DType::f32, {7});
    compare(operation.set("fn", fn).set("alpha", -0.5).set("beta", 0.5), cuda::pointwise, 0);
  }
  for (const char* fn : {"add", "mul", "max", "min", "eq", "gt", "clampGrad"}) {
    Operation operation("pointwise");
    operation.read("a", DType::f32, {7}, special).read("b", DType::f32, {7}, turned).write("y", DType::f32, {7});
    compare(operation.set("fn", fn).set("alpha", -0.5).set("beta", 0.5), cuda::pointwise, 0);
  }
}

TEST(pointwise_refuses_what_it_has_no_kernel_for) {
  Operation mixed("pointwise");
  mixed.read("a", DType::bf16, {4}).read("b", DType::f32, {4}).write("y", DType::bf16, {4});
  check_refused(mixed.set("fn", "add").set("alpha", 0.0).set("beta", 0.0), cuda::pointwise, "all operands must have one type");
  Shape a(9, 2), b(9, 2);
  for (std::size_t i = 0; i < 9; ++i) (i % 2 ? a : b)[i] = 1;
  Operation striped("pointwise");
  striped.read("a", DType::f32, a).read("b", DType::f32, b).write("y", DType::f32, Shape(9, 2));
  check_refused(striped.set("fn", "add").set("alpha", 0.0).set("beta", 0.0), cuda::pointwise, "stretch in more than 8 ways");
}

TEST(scale_samples_multiplies_images) {
  for (const DType dtype : floats)
    for (const DType scale : {dtype, DType::f32})
      for (const Shape& shape : shapes)
        compare(Operation("scaleSamples").read("x", dtype, shape).read("scale", scale, {shape[0]}).write("y", dtype, shape),
                cuda::scale_samples, tolerance_of(dtype), shape[0]);
  check_refused(
      Operation("scaleSamples").read("x", DType::f32, {2, 2}).read("scale", DType::f16, {2}).write("y", DType::f32, {2, 2}),
      cuda::scale_samples, "scale must be f32 or have the type of x");
}

TEST(dropout_and_its_gradient_draw_the_same_numbers) {
  const struct {
    double p, opId;
    std::uint64_t seed, step;
    std::int32_t micro;
  } drops[] = {{0, 0, 1, 0, 0}, {0.5, 3, (1ULL << 40) + 5, 7, 0}, {0.75, 1, 3, 1ULL << 33, 3}, {0.3, 2, 4, 1, 1}};
  for (const auto& [p, opId, seed, step, micro] : drops)
    for (const DType dtype : floats)
      for (const Shape& shape : shapes)
        for (const bool backward : {false, true}) {
          Operation operation(backward ? "dropoutBwd" : "dropout");
          operation.read(backward ? "dy" : "x", dtype, shape).write(backward ? "dx" : "y", dtype, shape);
          operation.set("p", p).set("opId", opId);
          operation.step.seed = seed, operation.step.step = step, operation.step.micro = micro;
          compare(operation, cuda::dropout, tolerance_of(dtype), shape[0]);
        }
}
