// concat and slice: they move elements, so every type is exact.
#include "operation.h"

TEST(concat_along_any_axis) {
  const std::pair<std::size_t, std::vector<Shape>> joins[] = {{3, {{2, 4, 4, 16}, {2, 4, 4, 3}, {2, 4, 4, 1}}},
                                                              {3, {{2, 5, 5, 16}, {2, 5, 5, 8}}},
                                                              {0, {{1, 3, 5}, {2, 3, 5}}},
                                                              {1, {{7, 36}, {7, 10}}},
                                                              {2, {{2, 3, 4, 5}}}};
  for (const DType dtype : floats)
    for (const auto& [axis, inputs] : joins) {
      Operation concat("concat");
      Shape joined = inputs[0];
      joined[axis] = 0;
      for (const Shape& shape : inputs) concat.read("x", dtype, shape), joined[axis] += shape[axis];
      compare(concat.set("axis", static_cast<double>(axis)).write("y", dtype, joined), cuda::concat, 0);
    }
}

TEST(concat_of_more_inputs_than_fit_a_launch) {
  Operation concat("concat");
  for (std::int64_t i = 0; i < 70; ++i) concat.read("x", DType::f32, {3, 1 + i % 4});
  compare(concat.set("axis", 1.0).write("y", DType::f32, {3, 173}), cuda::concat, 0);
}

TEST(slice_and_its_gradient) {
  const struct {
    Shape whole, part;
    std::vector<double> begin;
  } boxes[] = {{{2, 4, 4, 16}, {2, 4, 4, 8}, {0, 0, 0, 5}},     {{2, 4, 4, 16}, {2, 4, 4, 8}, {0, 0, 0, 8}},
               {{3, 5, 7, 3}, {2, 2, 7, 3}, {1, 2, 0, 0}},      {{4, 6}, {1, 3}, {3, 1}},
               {{9}, {9}, {0}},                                 {{4, 16, 16, 36}, {4, 14, 13, 32}, {0, 1, 2, 3}},
               {{2, 3, 2, 3, 2, 3, 2, 3}, {1, 2, 1, 2, 1, 2, 1, 2}, {1, 0, 0, 1, 1, 0, 1, 1}}};
  for (const DType dtype : floats)
    for (const auto& [whole, part, begin] : boxes) {
      compare(Operation("slice").read("x", dtype, whole).write("y", dtype, part).set("begin", begin), cuda::slice, 0);
      compare(Operation("sliceBwd").read("dy", dtype, part).write("dx", dtype, whole).set("begin", begin), cuda::slice_bwd, 0);
    }
}

TEST(slices_of_too_many_dimensions_are_refused) {
  Operation slice("slice");
  slice.read("x", DType::f32, Shape(9, 2)).write("y", DType::f32, Shape(9, 1)).set("begin", std::vector<double>(9, 0.0));
  check_refused(slice, cuda::slice, "at most 8 dimensions can be cut");
}
