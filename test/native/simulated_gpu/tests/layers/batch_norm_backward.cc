// Batch norm backward and the bias gradient against plain loops.
#include "cuda/kernels/batch_norm_backward.h"

#include "cuda/kernels/channel_sums.h"
#include "tests/layers/batch_norm_shapes.h"
#include "tests/layers/tensor.h"

using cuda::Pieces;

namespace {

enum class Gate { open, mask, sign };

/// The inputs of one gradient, and plain loops over them.
struct Example {
  Example(const BnShape& shape, DType dtype, Gate gate)
      : shape(shape),
        dtype(dtype),
        gate(gate),
        dy(draw(shape.elements())),
        x(draw(shape.elements())),
        mask(draw(shape.elements())),
        mean(draw(shape.channels)),
        invstd(draw(shape.channels)),
        gamma(draw(shape.channels)),
        beta(draw(shape.channels)) {
    for (float& value : mask) value = value > 0 ? 1 : 0;
    for (float& value : invstd) value = std::abs(value) + 0.5f;
    for (float& value : beta) value += 1.0f / 1024;   // so that no value before the activation is 0 up to a rounding
  }

  std::size_t channel(std::int64_t e) const { return static_cast<std::size_t>(e % shape.channels); }
  double normalised(std::int64_t e) const {
    return (x[static_cast<std::size_t>(e)] - mean[channel(e)]) * double{invstd[channel(e)]};
  }
  double g(std::int64_t e) const {
    const auto i = static_cast<std::size_t>(e);
    const bool active =
        gate == Gate::open || (gate == Gate::mask ? mask[i] != 0 : gamma[channel(e)] * normalised(e) + beta[channel(e)] > 0);
    return active ? dy[i] : 0.0;
  }
  template <typename Term>
  double sum(std::int64_t c, const Term& term) const {
    double total = 0;
    for (std::int64_t e = c; e < shape.elements(); e += shape.channels) total += term(e);
    return total;
  }

  BnShape shape;
  DType dtype;
  Gate gate;
  Values dy, x, mask, mean, invstd, gamma, beta;
};

/// The same on the device.
struct OnDevice {
  explicit OnDevice(const Example& e)
      : dy(e.dtype, e.dy),
        x(e.dtype, e.x),
        mask(DType::u8, mask_bits(e.mask, e.shape.channels)),
        mean(e.mean),
        invstd(e.invstd),
        gamma(e.gamma),
        beta(e.beta),
        backward{{mean, invstd, gamma, beta},
                 dy,
                 x,
                 e.shape.channels,
                 e.gate == Gate::mask ? mask.data<std::uint8_t>() : nullptr,
                 e.gate != Gate::open} {}

  DeviceTensor dy, x, mask, mean, invstd, gamma, beta;
  cuda::BnBackward backward;
};

template <typename Body>
void for_each_example(const Body& body) {
  for (const DType dtype : dtypes)
    for (const BnShape& shape : bnShapes)
      for (const Gate gate : {Gate::open, Gate::mask, Gate::sign}) body(Example(shape, dtype, gate));
}

std::vector<Values> sums_of(const Example& e, const OnDevice& device, std::int64_t chunk) {
  const Pieces pieces(e.shape.tensor(e.dtype));
  const DeviceTensor partial(DType::f32, 2 * pieces.count() * e.shape.channels);
  const DeviceTensor dbeta(DType::f32, e.shape.channels), dgamma(DType::f32, e.shape.channels);
  in_chunks(e.shape.batch, chunk, [&](std::int64_t first, std::int64_t count) {
    return cuda::bn_bwd_pieces(e.dtype, device.backward, pieces, first * pieces.perImage, count * pieces.perImage, partial,
                               nullptr);
  });
  CUDA(cuda::sum_pieces(partial, pieces, dbeta, dgamma, nullptr));
  return {dbeta.values(), dgamma.values()};
}

}  // namespace

TEST(bn_bwd_sums_gradients) {
  for_each_example([](const Example& e) {
    const OnDevice device(e);
    const std::vector<Values> whole = sums_of(e, device, e.shape.batch);
    check_values("dbeta", whole[0], 2e-5, [&](std::int64_t c) { return e.sum(c, [&](std::int64_t i) { return e.g(i); }); });
    check_values("dgamma", whole[1], 2e-5,
                 [&](std::int64_t c) { return e.sum(c, [&](std::int64_t i) { return e.g(i) * e.normalised(i); }); });
    CHECK(sums_of(e, device, 1) == whole);
  });
}

TEST(bn_bwd_apply_gives_the_input_gradient) {
  for_each_example([](const Example& e) {
    for (const bool constants : {false, true}) {
      const OnDevice device(e);
      const Values sumsGX = draw(e.shape.channels), sumsG = draw(e.shape.channels);
      const DeviceTensor dgamma(sumsGX), dbeta(sumsG), dresidual(e.dtype, e.shape.elements());
      const auto n = static_cast<float>(e.shape.values());
      const cuda::BnInputGradient gradient{constants ? nullptr : dgamma.data<float>(), constants ? nullptr : dbeta.data<float>(),
                                           n, device.dy, dresidual};
      in_chunks(e.shape.batch, 2, [&](std::int64_t first, std::int64_t count) {
        return cuda::bn_bwd_apply(e.dtype, device.backward, gradient, e.shape.channels, first * e.shape.rows,
                                  count * e.shape.rows, nullptr);
      });
      check_values("dx", device.dy.values(), tolerance_of(e.dtype), [&](std::int64_t i) {
        const std::size_t c = e.channel(i);
        const double through = constants ? 0 : sumsG[c] / n + e.normalised(i) * sumsGX[c] / n;
        return e.gamma[c] * double{e.invstd[c]} * (e.g(i) - through);
      });
      check_values("dresidual", dresidual.values(), 0, [&](std::int64_t i) { return e.g(i); });
    }
  });
}

TEST(bias_bwd_sums_channels) {
  for (const DType dtype : dtypes)
    for (const BnShape& shape : bnShapes) {
      const Pieces pieces(shape.tensor(dtype));
      const Values dy = draw(shape.elements());
      const DeviceTensor device(dtype, dy), partial(DType::f32, pieces.count() * shape.channels), db(DType::f32, shape.channels);
      in_chunks(shape.batch, 2, [&](std::int64_t first, std::int64_t count) {
        return cuda::channel_sums(dtype, device, pieces, first * pieces.perImage, count * pieces.perImage, partial, nullptr);
      });
      CUDA(cuda::sum_pieces(partial, pieces, db, nullptr, nullptr));
      check_values("db", db.values(), 0, [&](std::int64_t c) {
        double sum = 0;
        for (std::int64_t e = c; e < shape.elements(); e += shape.channels) sum += dy[static_cast<std::size_t>(e)];
        return sum;
      });
    }
}
