// reduce: every arrangement of kept and reduced dimensions, with one slice and several.
#include "operation.h"

namespace {

Operation reduction(const char* fn, DType dtype, const Shape& x, const std::vector<double>& axes) {
  Shape y = x;
  for (const double axis : axes) y[static_cast<std::size_t>(axis)] = 1;
  return Operation("reduce").read("x", dtype, x).write("y", dtype, y).set("fn", fn).set("axes", axes);
}

}  // namespace

TEST(reduce_over_any_axes) {
  const std::pair<Shape, std::vector<double>> cases[] = {
      {{2, 3, 4, 5}, {0, 1, 2, 3}}, {{2, 4, 4, 10}, {1, 2}},     {{3, 5, 2, 4}, {3}},         {{4, 3, 2, 4}, {0, 3}},
      {{4, 3, 2, 4}, {1, 3}},       {{8, 36}, {0}},              {{5, 3}, {}},                {{4, 32, 32, 20}, {0, 1, 2}},
      {{300, 3}, {1}},              {{4, 40, 30, 6}, {0, 1, 2, 3}}, {{9000, 3}, {0}},          {{2, 9001}, {1}}};
  for (const char* fn : {"sum", "mean", "max"})
    for (const DType dtype : floats)
      for (const auto& [x, axes] : cases) compare(reduction(fn, dtype, x, axes), cuda::reduce, tolerance_of(dtype));
}

TEST(the_maximum_keeps_NaN) {
  for (const std::int64_t n : {7, 9001}) {
    Operation operation = reduction("max", DType::f32, {n}, {0});
    operation.reads[0].values[5] = NAN;
    compare(operation, cuda::reduce, 0);
  }
}

/// With a SIM_ORDER that shuffles, threads and blocks run in another order every time.
TEST(a_sum_has_the_same_bits_every_time) {
  Operation operation = reduction("sum", DType::f32, {40'000}, {0});
  for (double& value : operation.reads[0].values) value = static_cast<float>(value * 1.2345678);
  const Results first = on_gpu(operation, cuda::reduce, 1);
  for (int i = 0; i < 3; ++i) CHECK(on_gpu(operation, cuda::reduce, 1).values == first.values);
}

TEST(reductions_that_alternate_too_often_are_refused) {
  check_refused(reduction("sum", DType::f32, Shape(9, 2), {0, 2, 4, 6, 8}), cuda::reduce, "alternate more than 8 times");
}
