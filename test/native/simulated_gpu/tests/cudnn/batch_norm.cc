// Batch norm in training, its gradient, and the forms that keep or drop the ReLU.
#include <cmath>

#include "tests/cudnn/plain.h"
#include "tests/cudnn/run.h"
#include "tests/harness.h"

using namespace frontend;

namespace {

const Dims dims{3, 8, 5, 4}, channels{1, 8, 1, 1};
constexpr float epsilon = 1e-3f, momentum = 0.25f;
const Type types[] = {Type::f32, Type::bf16, Type::f16};

/// The operands of a training batch norm, in a graph and on the device.
struct Training {
  Array x = drawn(dims, 1), scale = drawn(channels, 2), bias = drawn(channels, 3), residual = drawn(dims, 4);
  plain::Statistics expected = plain::statistics(x, epsilon);
  DeviceTensor dx, dscale, dbias, dresidual, dy, dmean, dinverse;
  Graph graph;
  std::map<Id, void*> pointers;

  explicit Training(Type type)
      : dx(x, type),
        dscale(scale, Type::f32),
        dbias(bias, Type::f32),
        dresidual(residual, type),
        dy(dims, type),
        dmean(channels, Type::f32),
        dinverse(channels, Type::f32),
        graph(type) {}

  Id input(const Dims& of, Type type, const DeviceTensor& memory) {
    const Id id = graph.tensor(of, type);
    pointers[id] = memory.data();
    return id;
  }
  Id output(Id id, Type type, const DeviceTensor& memory) {
    pointers[id] = memory.data();
    return graph.output(id, type);
  }
  Norm norm(Type type, const std::optional<Running>& running = std::nullopt) {
    const Id image = input(dims, type, dx), s = input(channels, Type::f32, dscale), b = input(channels, Type::f32, dbias);
    const Norm norm = graph.batch_norm(image, s, b, epsilon, running);
    output(norm.mean, Type::f32, dmean);
    output(norm.inverse, Type::f32, dinverse);
    return norm;
  }
  Array y() const { return plain::normalised(x, expected.mean, expected.inverse, scale, bias); }
  void check_statistics() const {
    CHECK_CLOSE(dmean.download(), expected.mean, 2e-7);
    CHECK_CLOSE(dinverse.download(), expected.inverse, 2e-7);
  }
};

/// A mask in memory: 8 channels are a byte.
const Dims byteDims{3, 1, 5, 4};
Array bytes_of_positive(const Array& array) {
  Array bytes(byteDims);
  for (std::size_t i = 0; i < bytes.values.size(); ++i) {
    int byte = 0;
    for (std::size_t bit = 0; bit < 8; ++bit) byte |= (array.values[8 * i + bit] > 0) << bit;
    bytes.values[i] = static_cast<signed char>(byte);
  }
  return bytes;
}

void check_add_relu(Type type, const Clip& clip) {
  Training t(type);
  const Norm norm = t.norm(type);
  const Id sum = t.graph.pointwise("add", {norm.y, t.input(dims, type, t.dresidual)});
  t.output(t.graph.relu(sum, clip), type, t.dy);
  build_and_run(t.graph, t.pointers);
  const Array expected = plain::mapped(plain::combined(t.y(), t.residual, std::plus<double>()),
                                       [&](double v) { return std::max<double>(v, clip.lower); });
  CHECK_CLOSE(t.dy.download(), expected, spacing_of(type) * 0.5001 + 1e-6);
  t.check_statistics();
}

}  // namespace

TEST(batch_norm_relu_with_running_statistics) {
  Training t(Type::f32);
  const Array oldMean = drawn(channels, 5), oldVariance = drawn_from(channels, 6, 1);
  const DeviceTensor meanIn(oldMean, Type::f32), varianceIn(oldVariance, Type::f32), meanOut(channels, Type::f32),
      varianceOut(channels, Type::f32);
  const Running running{t.input(channels, Type::f32, meanIn), t.input(channels, Type::f32, varianceIn), t.graph.scalar(momentum)};
  const Norm norm = t.norm(Type::f32, running);
  t.output(norm.runningMean, Type::f32, meanOut);
  t.output(norm.runningVariance, Type::f32, varianceOut);
  t.output(t.graph.relu(norm.y), Type::f32, t.dy);
  build_and_run(t.graph, t.pointers);
  CHECK_CLOSE(t.dy.download(), plain::mapped(t.y(), [](double v) { return std::max(v, 0.0); }), 1e-6);
  t.check_statistics();
  // PyTorch's definition: momentum weighs the new value, and the variance that enters is unbiased.
  const double n = 3 * 5 * 4;
  CHECK_CLOSE(meanOut.download(),
              plain::combined(oldMean, t.expected.mean, [](double a, double b) { return 0.75 * a + 0.25 * b; }), 2e-7);
  CHECK_CLOSE(
      varianceOut.download(),
      plain::combined(oldVariance, t.expected.variance, [&](double a, double b) { return 0.75 * a + 0.25 * b * n / (n - 1); }),
      2e-7);
}

TEST(batch_norm_add_relu) {
  for (const Type type : types) check_add_relu(type, {});
}

TEST(batch_norm_add_with_the_relu_erased_by_its_lower_clip) {
  for (const Type type : types) check_add_relu(type, {-FLT_MAX, FLT_MAX, 0});
}

TEST(batch_norm_alone) {
  Training t(Type::f32);
  t.output(t.norm(Type::f32).y, Type::f32, t.dy);
  build_and_run(t.graph, t.pointers);
  CHECK_CLOSE(t.dy.download(), t.y(), 1e-6);
}

TEST(batch_norm_gradient) {
  for (const Type type : types) {
    Training t(type);
    const Array dy = drawn(dims, 7);
    const DeviceTensor gradient(dy, type), meanIn(t.expected.mean, Type::f32), inverseIn(t.expected.inverse, Type::f32);
    const DeviceTensor dx(dims, type), dscale(channels, Type::f32), dbias(channels, Type::f32);
    const NormGradients out = t.graph.batch_norm_backward(
        t.input(dims, type, gradient), t.input(dims, type, t.dx), t.input(channels, Type::f32, t.dscale),
        t.input(channels, Type::f32, meanIn), t.input(channels, Type::f32, inverseIn));
    t.output(out.dx, type, dx);
    t.output(out.dscale, Type::f32, dscale);
    t.output(out.dbias, Type::f32, dbias);
    build_and_run(t.graph, t.pointers);
    const plain::Gradients expected = plain::norm_gradients(dy, t.x, t.scale, t.expected.mean, t.expected.inverse);
    CHECK_CLOSE(dx.download(), expected.dx, spacing_of(type) * 0.5001 + 2e-6);
    CHECK_CLOSE(dscale.download(), expected.dscale, 5e-6);
    CHECK_CLOSE(dbias.download(), expected.dbias, 5e-7);
  }
}

// The mask-free backward pass of cudnn-frontend's sample "BN_inference DRelu DBN Graph": y is computed again, its sign masks dy.
TEST(batch_norm_gradient_behind_a_relu_that_is_computed_again) {
  for (const Type type : types) {
    Training t(type);
    t.graph.set_intermediate(type);
    const Array dy = drawn(dims, 7);
    const DeviceTensor gradient(dy, type), meanIn(t.expected.mean, Type::f32), inverseIn(t.expected.inverse, Type::f32);
    const DeviceTensor dx(dims, type), dscale(channels, Type::f32), dbias(channels, Type::f32);
    const Id x = t.input(dims, type, t.dx), scale = t.input(channels, Type::f32, t.dscale),
             bias = t.input(channels, Type::f32, t.dbias);
    const Id mean = t.input(channels, Type::f32, meanIn), inverse = t.input(channels, Type::f32, inverseIn);
    const Id y = t.graph.batch_norm_inference(x, mean, inverse, scale, bias);
    const Id masked = t.graph.relu_backward(t.input(dims, type, gradient), y);
    const NormGradients out = t.graph.batch_norm_backward(masked, x, scale, mean, inverse);
    t.output(out.dx, type, dx);
    t.output(out.dscale, Type::f32, dscale);
    t.output(out.dbias, Type::f32, dbias);
    build_and_run(t.graph, t.pointers);
    const Array active = plain::combined(dy, t.y(), [](double d, double v) { return v > 0 ? d : 0; });
    const plain::Gradients expected = plain::norm_gradients(active, t.x, t.scale, t.expected.mean, t.expected.inverse);
    CHECK_CLOSE(dx.download(), expected.dx, spacing_of(type) * 0.5001 + 2e-6);
    CHECK_CLOSE(dscale.download(), expected.dscale, 5e-6);
    CHECK_CLOSE(dbias.download(), expected.dbias, 5e-7);
  }
}

// The mask of cudnn-frontend's samples "SGBN Add Relu Graph" and "DBN Add Relu Graph": bits of what is positive behind the ReLU, and the gradient times them.
TEST(batch_norm_add_relu_with_a_mask) {
  for (const Type type : types) {
    Training t(type);
    const DeviceTensor mask(byteDims, Type::i8);
    const Norm norm = t.norm(type);
    const Id y = t.graph.relu(t.graph.pointwise("add", {norm.y, t.input(dims, type, t.dresidual)}));
    t.output(y, type, t.dy);
    t.output(t.graph.pointwise("cmp_gt", {y, t.graph.scalar(0)}), Type::boolean, mask);
    build_and_run(t.graph, t.pointers);
    const Array sum = plain::combined(t.y(), t.residual, std::plus<double>());
    CHECK_CLOSE(mask.download(), bytes_of_positive(sum), 0);
    t.check_statistics();
  }
}

TEST(batch_norm_gradient_behind_a_mask) {
  for (const Type type : types) {
    Training t(type);
    const Array dy = drawn(dims, 7), bits = plain::mapped(drawn(dims, 8), [](double v) { return v > 0 ? 1.0 : 0.0; });
    const DeviceTensor gradient(dy, type), mask(bytes_of_positive(bits), Type::i8);
    const DeviceTensor meanIn(t.expected.mean, Type::f32), inverseIn(t.expected.inverse, Type::f32);
    const DeviceTensor masked(dims, type), dx(dims, type), dscale(channels, Type::f32), dbias(channels, Type::f32);
    const Id product = t.graph.pointwise("mul", {t.input(dims, type, gradient), t.input(dims, Type::boolean, mask)});
    t.output(product, type, masked);
    const NormGradients out =
        t.graph.batch_norm_backward(product, t.input(dims, type, t.dx), t.input(channels, Type::f32, t.dscale),
                                    t.input(channels, Type::f32, meanIn), t.input(channels, Type::f32, inverseIn));
    t.output(out.dx, type, dx);
    t.output(out.dscale, Type::f32, dscale);
    t.output(out.dbias, Type::f32, dbias);
    build_and_run(t.graph, t.pointers);
    const Array active = plain::combined(dy, bits, std::multiplies<double>());
    const plain::Gradients expected = plain::norm_gradients(active, t.x, t.scale, t.expected.mean, t.expected.inverse);
    CHECK_CLOSE(masked.download(), active, 0);
    CHECK_CLOSE(dx.download(), expected.dx, spacing_of(type) * 0.5001 + 2e-6);
    CHECK_CLOSE(dscale.download(), expected.dscale, 5e-6);
    CHECK_CLOSE(dbias.download(), expected.dbias, 5e-7);
  }
}

// What inference is made of, since cuDNN has no batch norm node for it.
TEST(batch_norm_inference_as_pointwise_operations) {
  Training t(Type::f32);
  const DeviceTensor meanIn(t.expected.mean, Type::f32), inverseIn(t.expected.inverse, Type::f32);
  Id y = t.graph.pointwise("sub", {t.input(dims, Type::f32, t.dx), t.input(channels, Type::f32, meanIn)});
  y = t.graph.pointwise("mul", {y, t.input(channels, Type::f32, inverseIn)});
  y = t.graph.pointwise("mul", {y, t.input(channels, Type::f32, t.dscale)});
  t.output(t.graph.pointwise("add", {y, t.input(channels, Type::f32, t.dbias)}), Type::f32, t.dy);
  build_and_run(t.graph, t.pointers);
  CHECK_CLOSE(t.dy.download(), t.y(), 2e-6);
}
