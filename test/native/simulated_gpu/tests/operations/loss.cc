// softmaxCrossEntropy.
#include "operation.h"

namespace {

struct Setting {
  std::int64_t n, classes;
  double smoothing = 0;
  bool mixed = false;
  bool gradient = true;
  Values labels = {};
  double scale = 1;
};

Operation loss_of(DType dtype, const Setting& s) {
  Values logits = draw(s.n * s.classes);
  for (double& value : logits) value *= s.scale;
  Operation operation("softmaxCrossEntropy");
  operation.read("logits", dtype, {s.n, s.classes}, logits);
  const auto labels = [&] { return integers(s.n, 0, static_cast<int>(s.classes) - 1); };
  operation.read("labels", DType::i32, {s.n}, s.labels.empty() ? labels() : s.labels);
  if (s.mixed) operation.read("labels2", DType::i32, {s.n}, labels()).read("lambda", DType::f32, {s.n});
  else operation.without("labels2").without("lambda");
  operation.write("loss", DType::f32, {1});
  if (s.gradient) operation.write("dlogits", dtype, {s.n, s.classes});
  else operation.without("dlogits");
  for (const char* name : {"correct1", "correct5", "count"}) operation.write(name, DType::f32, {1});
  return operation.set("labelSmoothing", s.smoothing);
}

}  // namespace

TEST(cross_entropy) {
  const Setting settings[] = {{4, 10},
                              {4, 10, 0, false, false},
                              {1, 10},
                              {3, 1},
                              {5, 3},
                              {6, 1000, 0.1},
                              {300, 7},
                              {6, 10, 0, false, true, {3, -1, 0, -1, 9, -1}},
                              {3, 10, 0, false, true, {-1, -1, -1}},
                              {3, 10, 0, false, true, {10, 2, 4}},
                              {5, 10, 0, true},
                              {5, 36, 0.2, true, true, {1, -1, 35, 7, 0}},
                              {4, 10, 0, false, true, {}, 100}};
  for (const DType dtype : floats)
    for (const Setting& setting : settings)
      compare(loss_of(dtype, setting), cuda::softmax_cross_entropy, 2 * tolerance_of(dtype));
}

TEST(cross_entropy_of_NaN) {
  for (const int at : {2, 3, 9}) {
    Operation operation = loss_of(DType::f32, {3, 10, 0, false, true, {2, 5, 5}});
    operation.reads[0].values[static_cast<std::size_t>(at)] = NAN;
    compare(operation, cuda::softmax_cross_entropy, tolerance_of(DType::f32));
  }
}

TEST(a_gradient_of_another_type_is_refused) {
  Operation operation = loss_of(DType::bf16, {4, 10});
  operation.writes[1].dtype = DType::f32;
  check_refused(operation, cuda::softmax_cross_entropy, "dlogits must have the type of logits");
}
