// Batch norm forward against plain loops.
#include "cuda/kernels/batch_norm_forward.h"

#include "base/mask.h"
#include "plan/step_params.h"
#include "tests/layers/batch_norm_shapes.h"
#include "tests/layers/tensor.h"

using cuda::Pieces;

namespace {

struct Statistics {
  Values mean, invstd, variance;
};

Statistics statistics_of(const BnShape& shape, DType dtype, const DeviceTensor& x, std::int64_t chunk, double epsilon) {
  const Pieces pieces(shape.tensor(dtype));
  const DeviceTensor partial(DType::f32, cuda::bnMoments * pieces.count() * shape.channels);
  const DeviceTensor mean(DType::f32, shape.channels), invstd(DType::f32, shape.channels), variance(DType::f32, shape.channels);
  in_chunks(shape.batch, chunk, [&](std::int64_t first, std::int64_t count) {
    return cuda::bn_stats_pieces(dtype, x, shape.channels, pieces, first * pieces.perImage, count * pieces.perImage, partial, nullptr);
  });
  CUDA(cuda::bn_stats_combine(partial, pieces, epsilon, {mean, invstd, variance}, nullptr));
  return {mean.values(), invstd.values(), variance.values()};
}

void check_statistics(const BnShape& shape, DType dtype, const Values& x, double tolerance) {
  const DeviceTensor device(dtype, x);
  const double epsilon = 1e-5, n = static_cast<double>(shape.values());
  const auto mean_of = [&](std::int64_t c) {
    double sum = 0;
    for (std::int64_t row = 0; row < shape.values(); ++row) sum += x[static_cast<std::size_t>(row * shape.channels + c)];
    return sum / n;
  };
  const auto variance_of = [&](std::int64_t c) {
    const double mean = mean_of(c);
    double sum = 0;
    for (std::int64_t row = 0; row < shape.values(); ++row)
      sum += std::pow(x[static_cast<std::size_t>(row * shape.channels + c)] - mean, 2);
    return sum / n;
  };
  const Statistics whole = statistics_of(shape, dtype, device, shape.batch, epsilon);
  double spread = 1;   // the largest deviation: a mean is as precise as the numbers are around it
  for (std::int64_t c = 0; c < shape.channels; ++c) spread = std::max(spread, std::sqrt(variance_of(c)));
  check_values("mean", whole.mean, 2e-7 * spread, mean_of);
  check_values("variance", whole.variance, tolerance, variance_of);
  check_values("invstd", whole.invstd, tolerance, [&](std::int64_t c) { return 1 / std::sqrt(variance_of(c) + epsilon); });
  const Statistics cut = statistics_of(shape, dtype, device, 1, epsilon);
  CHECK(cut.mean == whole.mean && cut.variance == whole.variance && cut.invstd == whole.invstd);
}

}  // namespace

TEST(bn_stats_are_those_of_two_passes) {
  for (const DType dtype : dtypes)
    for (const BnShape& shape : bnShapes) check_statistics(shape, dtype, draw(shape.elements()), 1e-6);
}

TEST(bn_stats_keep_their_digits_far_from_zero) {
  const BnShape shape{4, 1000, 6};
  Values x = draw(shape.elements());
  for (float& value : x) value += 4096;   // without a rounding
  check_statistics(shape, DType::f32, x, 2e-6);
}

TEST(bn_stats_survive_an_unlike_first_value) {
  const BnShape shape{2, 600, 4};
  Values x = draw(shape.elements());
  for (std::size_t c = 0; c < 4; ++c) x[c] = 1e4f;
  check_statistics(shape, DType::f32, x, 1e-6);
}

TEST(bn_stats_of_equal_values_have_no_variance) {
  const BnShape shape{2, 50, 4};
  const DeviceTensor x(Values(static_cast<std::size_t>(shape.elements()), 0.1f));
  check_values("variance", statistics_of(shape, DType::f32, x, 2, 1e-5).variance, 0, [](std::int64_t) { return 0.0; });
}

TEST(bn_stats_keep_nan) {
  const BnShape shape{2, 50, 4};
  Values x = draw(shape.elements());
  x[5] = NAN;
  const Statistics found = statistics_of(shape, DType::f32, DeviceTensor(x), 2, 1e-5);
  for (std::size_t c = 0; c < 4; ++c) CHECK(std::isnan(found.mean[c]) == (c == 1) && std::isnan(found.variance[c]) == (c == 1));
}

TEST(bn_apply_with_and_without_everything) {
  for (const DType dtype : dtypes)
    for (const BnShape& shape : bnShapes)
      for (int with = 0; with < 8; ++with) {
        const bool relu = with & 1, residual = with & 2, infer = with & 4;
        const Values x = draw(shape.elements()), r = draw(shape.elements()), mean = draw(shape.channels),
                     gamma = draw(shape.channels), beta = draw(shape.channels);
        Values spread = draw(shape.channels);
        for (float& value : spread) value = std::abs(value) + 0.5f;
        const float epsilon = infer ? 0.25f : -1.0f;
        const DeviceTensor deviceX(dtype, x), deviceR(dtype, r), y(dtype, shape.elements());
        const DeviceTensor mask(DType::u8, shape.values() * mask_bytes(shape.channels));
        const DeviceTensor deviceMean(mean), deviceSpread(spread), deviceGamma(gamma), deviceBeta(beta);
        const cuda::BnApply apply{{deviceMean, deviceSpread, deviceGamma, deviceBeta, epsilon},
                                  deviceX,
                                  shape.channels,
                                  residual ? deviceR.data() : nullptr,
                                  y,
                                  mask,
                                  relu};
        in_chunks(shape.batch, 2, [&](std::int64_t first, std::int64_t count) {
          return cuda::bn_apply(dtype, apply, shape.channels, first * shape.rows, count * shape.rows, nullptr);
        });
        const auto value = [&](std::int64_t e) {
          const std::size_t i = static_cast<std::size_t>(e), c = static_cast<std::size_t>(e % shape.channels);
          const double invstd = infer ? 1 / std::sqrt(spread[c] + 0.25) : spread[c];
          return gamma[c] * (x[i] - mean[c]) * invstd + beta[c] + (residual ? r[i] : 0);
        };
        check_values("y", y.values(), tolerance_of(dtype),
                     [&](std::int64_t e) { return relu ? std::max(0.0, value(e)) : value(e); });
        // Where the value is 0 up to a rounding, the bit is the kernel's to choose.
        const Values found = mask.values();
        Values active;
        for (std::int64_t e = 0; e < shape.elements(); ++e) {
          const std::int64_t row = e / shape.channels, c = e % shape.channels;
          const auto byte = static_cast<unsigned>(found[static_cast<std::size_t>(row * mask_bytes(shape.channels) + c / 8)]);
          active.push_back(std::abs(value(e)) > 1e-5 ? value(e) > 0 : byte >> c % 8 & 1);
        }
        CHECK(found == mask_bits(active, shape.channels));
      }
}

TEST(bn_apply_keeps_nan_and_works_in_place) {
  const DeviceTensor x(Values{NAN, 1, -1, NAN}), zero(Values{0, 0}), one(Values{1, 1}), mask(DType::u8, 2);
  CUDA(cuda::bn_apply(DType::f32, {{zero, one, one, zero}, x, 2, nullptr, x, mask, true}, 2, 0, 2, nullptr));
  const Values expected{NAN, 1, 0, NAN}, active{2, 0};
  check_values("y", x.values(), 0, [&](std::int64_t i) { return expected[static_cast<std::size_t>(i)]; });
  check_values("mask", mask.values(), 0, [&](std::int64_t i) { return active[static_cast<std::size_t>(i)]; });
}

TEST(bn_running_update_unless_the_step_is_skipped) {
  const std::vector<RunningRange> layers = {{0, 310, 8, 300, 0.1, 5}, {608, 0, 612, 3, 0.5, 2}};
  RunningRange* ranges = nullptr;
  CUDA(cudaMalloc(reinterpret_cast<void**>(&ranges), layers.size() * sizeof(RunningRange)));
  CUDA(cudaMemcpy(ranges, layers.data(), layers.size() * sizeof(RunningRange), cudaMemcpyHostToDevice));
  for (const float finite : {1.0f, 0.0f}) {
    Values flags(kStateSize, 0.0f);
    flags[kStateFinite] = finite;
    const Values batch = draw(614), before = draw(616);
    const DeviceTensor statistics(batch), state(flags), running(before);
    CUDA(cuda::bn_running_update(statistics, state, running, ranges, 2, 300, nullptr));
    std::vector<double> expected(before.begin(), before.end());
    for (const RunningRange& layer : layers) {
      if (finite == 0) continue;
      for (std::int64_t c = 0; c < layer.channels; ++c) {
        const auto move = [&](std::int64_t at, double value) {
          double& moved = expected[static_cast<std::size_t>(at + c)];
          moved = (1 - layer.momentum) * moved + layer.momentum * value;
        };
        const auto at = static_cast<std::size_t>(layer.statistics + c);
        move(layer.mean, batch[at]);
        move(layer.variance, batch[at + static_cast<std::size_t>(layer.channels)] * layer.count / (layer.count - 1));
      }
    }
    check_values("running", running.values(), 1e-7, [&](std::int64_t i) { return expected[static_cast<std::size_t>(i)]; });
  }
  CUDA(cudaFree(ranges));
}
