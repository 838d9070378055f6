// The update section.
#include "operation.h"

namespace {

Values state_of(double finite, double updates, double lossScale = 1) {
  Values state(kStateSize, 0.0);
  state[kStateFinite] = finite, state[kStateScale] = 0.5, state[kStateNorm] = 2;
  state[kStateUpdates] = updates, state[kStateSkipped] = 1, state[kStateLossScale] = lossScale;
  return state;
}

constexpr std::int64_t size = 20'000;
const std::vector<double> ranges = {0, 7, 0, 9, 10'000, 1, 10'009, 33, 0, 10'042, 0, 1, 10'050, 9'900, 2};
const std::vector<double> weightDecay = {0.25, 0, 0.5};

/// gradient, state, weights, and the optimizer's own tensors.
Operation optimizer(const char* name, DType gradient, const Values& state, const std::vector<std::string>& own) {
  Operation operation(name);
  operation.read("gradient", gradient, {size}).read("state", DType::f32, {kStateSize}, state).read("weights", DType::f32, {size});
  operation.write("weights", DType::f32, {size});
  for (const std::string& tensor : own) {
    operation.read(tensor, DType::f32, {size}, integers(size, 1, 5)).write(tensor, DType::f32, {size});
  }
  operation.step.learningRate[0] = 0.5f, operation.step.learningRate[1] = 0.25f, operation.step.learningRate[2] = 0.125f;
  return operation.set("ranges", ranges).set("weightDecay", weightDecay);
}

Operation sgd(DType gradient, const Values& state, double momentum, double dampening, double nesterov) {
  std::vector<std::string> own;
  if (momentum > 0) own.push_back("velocity");
  Operation operation = optimizer("sgdUpdate", gradient, state, own);
  if (momentum == 0) operation.without("velocity");
  return operation.set("momentum", momentum).set("dampening", dampening).set("nesterov", nesterov);
}

Operation adamw(DType gradient, const Values& state) {
  return optimizer("adamwUpdate", gradient, state, {"m", "v"}).set("beta1", 0.9).set("beta2", 0.999).set("epsilon", 1e-8);
}

void check_unchanged(const Operation& operation, cuda::Prepare prepare) {
  const Results results = on_gpu(operation, prepare, 1 << 30);
  for (std::size_t i = 0; i < results.names.size(); ++i)
    for (const Tensor& tensor : operation.reads)
      if (tensor.name == results.names[i]) CHECK(tensor.values == results.values[i]);
}

}  // namespace

TEST(grad_norm_writes_the_state) {
  const struct {
    std::int64_t size;
    double maxNorm;
    bool withLoss;
    double loss, lossScale;
  } cases[] = {{1, 0, false, 0, 1},       {1001, 0, true, 2.5, 1}, {1000, 1, true, 2.5, 1},   {10, 1e6, true, 1, 1},
               {100, 0.5, true, 1, 1024}, {70'001, 0, true, 1, 1}, {100, 0, true, NAN, 1},    {100, 1, true, HUGE_VAL, 1}};
  for (const DType dtype : floats)
    for (const auto& c : cases) {
      Operation operation("gradNorm");
      if (c.withLoss) operation.read("loss", DType::f32, {1}, {c.loss});
      else operation.without("loss");
      operation.read("state", DType::f32, {kStateSize}, state_of(1, 4, c.lossScale)).write("state", DType::f32, {kStateSize});
      operation.read("gradient", dtype, {c.size}).read("gradient", DType::f32, {20'001});
      operation.step.microCount = 3;
      compare(operation.set("maxNorm", c.maxNorm), cuda::grad_norm, 1e-7);
    }
}

TEST(grad_norm_finds_what_is_not_finite) {
  for (const double wrong : {static_cast<double>(NAN), HUGE_VAL, 1e30}) {
    Operation operation("gradNorm");
    operation.without("loss").read("state", DType::f32, {kStateSize}, state_of(1, 4)).write("state", DType::f32, {kStateSize});
    operation.read("gradient", DType::f32, {2}, {1, 1}).read("gradient", DType::f32, {3}, {1, wrong, 2});
    compare(operation.set("maxNorm", 1.0), cuda::grad_norm, 1e-7);
  }
}

TEST(sgd_updates_its_ranges) {
  for (const DType gradient : floats) {
    compare(sgd(gradient, state_of(1, 4), 0, 0, 0), cuda::sgd_update, 1e-6);
    for (const double updates : {1, 4}) {
      compare(sgd(gradient, state_of(1, updates), 0.5, 0.25, 0), cuda::sgd_update, 1e-6);
      compare(sgd(gradient, state_of(1, updates), 0.9, 0, 1), cuda::sgd_update, 1e-6);
    }
  }
}

TEST(adamw_updates_its_ranges) {
  for (const DType gradient : floats)
    for (const double updates : {1, 4, 10'000}) compare(adamw(gradient, state_of(1, updates)), cuda::adamw_update, 2e-6);
}

TEST(many_ranges_are_one_launch) {
  std::vector<double> many;
  for (int i = 0; i < 600; ++i) many.insert(many.end(), {i * 33.0, 33.0 - i % 3, static_cast<double>(i % 3)});
  compare(sgd(DType::f32, state_of(1, 4), 0.5, 0, 0).set("ranges", many), cuda::sgd_update, 1e-6);
}

TEST(no_ranges_change_nothing) {
  const std::vector<double> none;
  check_unchanged(sgd(DType::f32, state_of(1, 4), 0.5, 0, 0).set("ranges", none), cuda::sgd_update);
  check_unchanged(adamw(DType::f32, state_of(1, 4)).set("ranges", none), cuda::adamw_update);
}

TEST(skipped_updates_change_nothing) {
  check_unchanged(sgd(DType::f32, state_of(0, 4), 0.5, 0, 0), cuda::sgd_update);
  check_unchanged(adamw(DType::f32, state_of(0, 4)), cuda::adamw_update);
}

TEST(ema_averages_the_weights) {
  for (const double finite : {0, 1})
    for (const double decay : {0.5, 0.999}) {
      Operation operation("emaUpdate");
      operation.read("weights", DType::f32, {1001}).read("state", DType::f32, {kStateSize}, state_of(finite, 4));
      operation.read("ema", DType::f32, {1001}).write("ema", DType::f32, {1001});
      compare(operation.set("decay", decay), cuda::ema_update, 1e-6);
      if (finite == 0) check_unchanged(operation, cuda::ema_update);
    }
}

TEST(ranges_that_overlap_and_weights_of_16_bits_are_refused) {
  const std::vector<double> overlapping = {100, 50, 0, 0, 101, 1};
  Operation narrow = adamw(DType::f32, state_of(1, 4));
  narrow.reads[2].dtype = DType::bf16;
  check_refused(narrow, cuda::adamw_update, "weights must be f32");
  check_refused(adamw(DType::f32, state_of(1, 4)).set("ranges", overlapping), cuda::adamw_update, "its ranges overlap");
}
