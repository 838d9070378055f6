// The plain convolution by which engines are checked: it agrees with the reference backend, and sees what is wrong.
#include "cuda/kernels/verify_convolution.h"

#include <map>

#include "cuda/kernels/element.h"
#include "operation.h"

namespace {

struct Geometry {
  Shape x, w, y;
  std::vector<double> stride = {1, 1}, pad = {0, 0, 0, 0}, dilation = {1, 1};
  double groups = 1;
};

const Geometry geometries[] = {
    {{2, 5, 6, 3}, {4, 3, 3, 3}, {2, 5, 6, 4}, {1, 1}, {1, 1, 1, 1}},
    {{1, 7, 5, 4}, {6, 3, 2, 2}, {1, 4, 3, 6}, {2, 2}, {1, 2, 0, 1}, {1, 1}, 2},
    {{2, 9, 8, 2}, {3, 3, 3, 2}, {2, 7, 4, 3}, {1, 2}, {1, 1, 2, 1}, {2, 2}},
    {{1, 2, 1, 270}, {1, 1, 1, 270}, {1, 2, 1, 1}},
};

const char* operation_of(cuda::ConvolutionResult result) {
  if (result == cuda::ConvolutionResult::y) return "conv2d";
  return result == cuda::ConvolutionResult::x ? "conv2dBwdData" : "conv2dBwdFilter";
}

/// What the reference computes; the result is rounded to `dtype`.
struct Computed {
  Operation operation;
  Values result;
};

Computed compute(cuda::ConvolutionResult result, DType dtype, const Geometry& g, bool more) {
  Operation operation(operation_of(result));
  operation.set("stride", g.stride).set("pad", g.pad).set("dilation", g.dilation).set("groups", g.groups);
  if (result == cuda::ConvolutionResult::y) {
    operation.read("x", dtype, g.x).read("w", dtype, g.w).write("y", dtype, g.y).set("activation", more ? "relu" : "identity");
    if (more) operation.read("bias", DType::f32, {g.w[0]}).read("residual", dtype, g.y);
    else operation.without("bias").without("residual");
  } else if (result == cuda::ConvolutionResult::x) {
    operation.read("dy", dtype, g.y).read("w", dtype, g.w).write("dx", dtype, g.x);
    if (more) operation.read("addend", dtype, g.x);
    else operation.without("addend");
  } else {
    operation.read("dy", dtype, g.y).read("x", dtype, g.x).write("dw", dtype, g.w);
  }
  return {operation, on_reference(operation).values[0]};
}

void* on_device(DType dtype, const Values& values) {
  return cuda::with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    std::vector<T> host;
    for (const double value : values) host.push_back(cuda::from_float<T>(static_cast<float>(value)));
    void* memory = nullptr;
    CUDA(cudaMalloc(&memory, host.size() * sizeof(T)));
    CUDA(cudaMemcpy(memory, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
    return memory;
  });
}

/// The error of every element of the result.
Values errors_of(cuda::ConvolutionResult result, DType dtype, const Geometry& g, const Computed& computed) {
  const auto n = static_cast<std::int64_t>(computed.result.size());
  std::map<std::string, void*> tensors;
  for (const Tensor& tensor : computed.operation.reads)
    if (tensor.present) tensors[tensor.name] = on_device(tensor.dtype, tensor.values);
  tensors[computed.operation.writes[0].name] = on_device(dtype, computed.result);
  const auto either = [&](const char* name, const char* other) { return tensors.count(name) ? tensors[name] : tensors[other]; };

  const auto of = [](const std::vector<double>& values, std::size_t i) { return static_cast<std::int64_t>(values[i]); };
  const cuda::ConvolutionSizes sizes{
      g.x[0], g.x[1], g.x[2], g.x[3], g.w[0], g.w[1], g.w[2], static_cast<std::int64_t>(g.groups), g.y[1], g.y[2],
      of(g.stride, 0), of(g.stride, 1), of(g.pad, 0), of(g.pad, 2), of(g.dilation, 0), of(g.dilation, 1)};
  std::vector<std::int64_t> samples;
  for (std::int64_t i = n; i-- > 0;) samples.push_back(i);
  void *positions = nullptr, *errors = nullptr;
  CUDA(cudaMalloc(&positions, samples.size() * sizeof(std::int64_t)));
  CUDA(cudaMalloc(&errors, samples.size() * sizeof(double)));
  CUDA(cudaMemcpy(positions, samples.data(), samples.size() * sizeof(std::int64_t), cudaMemcpyHostToDevice));
  const bool relu = computed.operation.attributes.has("activation") && computed.operation.attributes.text("activation") == "relu";
  const cuda::ConvolutionCheck check{either("x", "dx"),
                                     either("w", "dw"),
                                     either("y", "dy"),
                                     static_cast<const float*>(tensors["bias"]),
                                     either("residual", "addend"),
                                     relu ? Activation::relu : Activation::identity,
                                     static_cast<std::int64_t*>(positions),
                                     n,
                                     static_cast<double*>(errors)};
  CUDA(cuda::verify_convolution(result, dtype, sizes, check, nullptr));
  Values host(samples.size());
  CUDA(cudaMemcpy(host.data(), errors, host.size() * sizeof(double), cudaMemcpyDeviceToHost));
  return {host.rbegin(), host.rend()};
}

/// Errors are relative to the result, so that one rounding to the type is all there is.
double allowed(DType dtype) { return dtype == DType::f32 ? 6e-8 : dtype == DType::bf16 ? 4e-3 : 5e-4; }

}  // namespace

TEST(right_convolutions_pass_and_wrong_elements_are_seen) {
  for (const auto result : {cuda::ConvolutionResult::y, cuda::ConvolutionResult::x, cuda::ConvolutionResult::w})
    for (const DType dtype : floats)
      for (const Geometry& g : geometries)
        for (const bool more : {false, true}) {
          Computed computed = compute(result, dtype, g, more);
          for (const double error : errors_of(result, dtype, g, computed)) CHECK(error <= allowed(dtype));
          const std::size_t wrong = computed.result.size() / 2;
          computed.result[wrong] += 0.5 + std::abs(computed.result[wrong]) / 8;
          computed.result[0] = NAN;
          const Values errors = errors_of(result, dtype, g, computed);
          CHECK(std::isnan(errors[0]));
          for (std::size_t i = 1; i < errors.size(); ++i)
            CHECK(i == wrong ? errors[i] > 2 * allowed(dtype) : errors[i] <= allowed(dtype));
        }
}

TEST(a_result_of_no_products_must_be_zero) {
  // The first window lies in the padding.
  const Geometry g{{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 2, 1, 1}, {1, 1}, {1, 0, 0, 0}};
  Computed computed = compute(cuda::ConvolutionResult::y, DType::f32, g, false);
  CHECK_EQUAL(computed.result[0], 0.0);
  CHECK_EQUAL(errors_of(cuda::ConvolutionResult::y, DType::f32, g, computed)[0], 0.0);
  computed.result[0] = 0.25;
  CHECK_EQUAL(errors_of(cuda::ConvolutionResult::y, DType::f32, g, computed)[0], 0.25);
}

TEST(random_values_depend_on_the_seed_alone) {
  const auto values_of = [](DType dtype, std::uint64_t seed) {
    return cuda::with_type(dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      std::vector<T> host(1001);
      void* memory = nullptr;
      CUDA(cudaMalloc(&memory, host.size() * sizeof(T)));
      CUDA(cuda::random_values(dtype, seed, memory, 1001, nullptr));
      CUDA(cudaMemcpy(host.data(), memory, host.size() * sizeof(T), cudaMemcpyDeviceToHost));
      Values values;
      for (const T value : host) values.push_back(cuda::to_float(value));
      return values;
    });
  };
  for (const DType dtype : floats) {
    const Values values = values_of(dtype, 1);
    CHECK(values == values_of(dtype, 1));
    CHECK(values != values_of(dtype, 2));
    double sum = 0, squares = 0;
    for (const double value : values) {
      CHECK(std::abs(value) <= 1);
      sum += value, squares += value * value;
    }
    CHECK(std::abs(sum / 1001) < 0.1);
    CHECK(std::abs(squares / 1001 - 1.0 / 3) < 0.05);
  }
}
