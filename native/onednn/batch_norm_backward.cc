// Batch norm backward: the sums over the batch, the input gradient, both at once where the statistics are constants;
// and the bias gradient, which is the same reduction without batch norm.
#include "backend/kernel_base.h"
#include "base/activation.h"
#include "base/mask.h"
#include "onednn/batch_norm_channels.h"
#include "onednn/kernels.h"
#include "onednn/simd/loops.h"

namespace eraserelu::cpu {

namespace {

/// The operands that every backward pass reads, and its tiled vectors.
template <typename T>
class Gradient {
 public:
  Gradient(const OpDesc& desc, ScratchLayout& scratch)
      : pieces(desc.read("x")),
        infer_(desc.is("batchNormInferBwd")),
        epsilon_(infer_ ? desc.attributes.number("epsilon") : -1),
        relu_(activation_named(desc.attributes.text("activation")) == Activation::relu),
        pitch_(desc.read("x").pixel_pitch()),
        tiledAt_(scratch.add_floats(3 * pieces.period)) {}

  void bind(const Operands& at) {
    float* tiled = reinterpret_cast<float*>(at.scratchpad() + tiledAt_);
    parameters = {at.read("mean"), at.read(infer_ ? "variance" : "invstd"), at.read("gamma"), at.read("beta"), epsilon_};
    whole = {at.read<T>("dy"), at.read<T>("x"), pitch_, at.read<std::uint8_t>("mask"), tiled, tiled + pieces.period,
             tiled + 2 * pieces.period, relu_};
  }

  /// At the first launch.
  void tile() const {
    tile_channels(pieces, const_cast<float*>(whole.scale), [&](std::int64_t c) { return parameters.scale(c); });
    tile_channels(pieces, const_cast<float*>(whole.shift), [&](std::int64_t c) { return parameters.shift(c); });
    tile_channels(pieces, const_cast<float*>(whole.mean), [&](std::int64_t c) { return parameters.mean[c]; });
  }

  /// The rows from one of the batch on.
  BnBackward<T> from(std::int64_t row) const {
    BnBackward<T> part = whole;
    part.dy += row * pieces.channels;
    part.x += row * pitch_;
    if (part.mask) part.mask += row * mask_bytes(pieces.channels);
    return part;
  }

  Pieces pieces;
  BnParameters parameters{};
  BnBackward<T> whole{};

 private:
  bool infer_;
  double epsilon_;
  bool relu_;
  std::int64_t pitch_;
  std::size_t tiledAt_;
};

/// dgamma and dbeta: every piece leaves its two sums, the last launch adds them up in double.
class Sums {
 public:
  Sums(const TensorDesc& x, const Pieces& pieces, ScratchLayout& scratch)
      : batch_(x.dim(0)),
        partialAt_(scratch.add_floats(2 * batch_ * pieces.perImage * pieces.channels)),
        lanesAt_(scratch.add_floats(2 * pieces.period * worker_threads())),
        totalsAt_(scratch.add(2 * pieces.channels * sizeof(double))) {}

  void bind(const Operands& at) {
    partial_ = reinterpret_cast<float*>(at.scratchpad() + partialAt_);
    lanes_ = reinterpret_cast<float*>(at.scratchpad() + lanesAt_);
    totals_ = reinterpret_cast<double*>(at.scratchpad() + totalsAt_);
    dgamma_ = at.write("dgamma");
    dbeta_ = at.write("dbeta");
  }

  template <typename T>
  void launch(const Gradient<T>& gradient, std::int64_t first, std::int64_t count) const {
    const Pieces& pieces = gradient.pieces;
    const std::int64_t channels = pieces.channels;
    parallel_for(count * pieces.perImage, count * pieces.image_elements(), [&](std::int64_t i, int thread) {
      const std::int64_t p = first * pieces.perImage + i;
      float* out = partial_ + 2 * p * channels;
      loops<T>().bn_bwd_reduce(gradient.from(pieces.first_row(p)), pieces.rows_of(p) * channels, channels, pieces.period,
                            lanes_ + thread * 2 * pieces.period, out, out + channels);
    });
    if (first + count < batch_) return;
    const std::int64_t all = batch_ * pieces.perImage;
    parallel_ranges(2 * channels, all, [&](std::int64_t begin, std::int64_t end) {
      sum_pieces(partial_, all, 2 * channels, begin, end, totals_);
    });
    for (std::int64_t c = 0; c < channels; ++c) {
      dbeta_[c] = static_cast<float>(totals_[c]);
      dgamma_[c] = static_cast<float>(totals_[channels + c] * gradient.parameters.invstd(c));
    }
  }

 private:
  std::int64_t batch_;
  std::size_t partialAt_, lanesAt_, totalsAt_;
  float *partial_ = nullptr, *lanes_ = nullptr, *dgamma_ = nullptr, *dbeta_ = nullptr;
  double* totals_ = nullptr;
};

/// dx = scale·g + slope·(x-mean) + offset, with both vectors tiled.
template <typename T>
void input_gradient(const Gradient<T>& gradient, const float* slope, const float* offset, T* dx, T* dresidual,
                    std::int64_t first, std::int64_t count) {
  const Pieces& pieces = gradient.pieces;
  parallel_ranges(count * pieces.rows, pieces.channels, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t row = first * pieces.rows + begin, start = row * pieces.channels;
    loops<T>().bn_bwd_apply(gradient.from(row), slope, offset, dx + start, dresidual ? dresidual + start : nullptr,
                         (end - begin) * pieces.channels, pieces.channels, pieces.period);
  });
}

std::vector<std::pair<int, int>> dx_over_dy(const OpDesc& desc) {
  return {{static_cast<int>(desc.read_index("dy")), static_cast<int>(desc.write_index("dx"))}};
}

}  // namespace

template <typename T>
std::unique_ptr<Kernel> bn_bwd_reduce(const OpDesc& desc) {
  ScratchLayout scratch;
  const Gradient<T> unbound(desc, scratch);
  const Sums unboundSums(desc.read("x"), unbound.pieces, scratch);
  Requirements needs;
  needs.scratchpad = scratch.bytes();

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    Gradient<T> gradient = unbound;
    Sums sums = unboundSums;
    gradient.bind(at);
    sums.bind(at);
    return [=](std::int64_t first, std::int64_t count) {
      if (first == 0) gradient.tile();
      sums.launch(gradient, first, count);
    };
  });
}

template <typename T>
std::unique_ptr<Kernel> bn_bwd_apply(const OpDesc& desc) {
  ScratchLayout scratch;
  const Gradient<T> unbound(desc, scratch);
  const std::size_t slopeAt = scratch.add_floats(unbound.pieces.period), offsetAt = scratch.add_floats(unbound.pieces.period);
  const double rows = static_cast<double>(desc.read("x").elements() / unbound.pieces.channels);
  Requirements needs;
  needs.scratchpad = scratch.bytes();
  needs.inPlace = dx_over_dy(desc);

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    Gradient<T> gradient = unbound;
    gradient.bind(at);
    float* slope = reinterpret_cast<float*>(at.scratchpad() + slopeAt);
    float* offset = reinterpret_cast<float*>(at.scratchpad() + offsetAt);
    const float* dgamma = at.read("dgamma");
    const float* dbeta = at.read("dbeta");
    T* dx = at.write<T>("dx");
    T* dresidual = at.write<T>("dresidual");
    return [=](std::int64_t first, std::int64_t count) {
      if (first == 0) {
        const BnParameters& p = gradient.parameters;
        gradient.tile();
        tile_channels(gradient.pieces, slope, [&](std::int64_t c) { return -p.scale(c) * p.invstd(c) * dgamma[c] / rows; });
        tile_channels(gradient.pieces, offset, [&](std::int64_t c) { return -p.scale(c) * dbeta[c] / rows; });
      }
      input_gradient(gradient, slope, offset, dx, dresidual, first, count);
    };
  });
}

/// Constant statistics: the input gradient needs no sums, so each chunk does both while it is in cache.
template <typename T>
std::unique_ptr<Kernel> batch_norm_infer_bwd(const OpDesc& desc) {
  ScratchLayout scratch;
  const Gradient<T> unbound(desc, scratch);
  const Sums unboundSums(desc.read("x"), unbound.pieces, scratch);
  const std::size_t zerosAt = scratch.add_floats(unbound.pieces.period);
  Requirements needs;
  needs.scratchpad = scratch.bytes();
  needs.inPlace = dx_over_dy(desc);

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    Gradient<T> gradient = unbound;
    Sums sums = unboundSums;
    gradient.bind(at);
    sums.bind(at);
    float* zeros = reinterpret_cast<float*>(at.scratchpad() + zerosAt);
    T* dx = at.write<T>("dx");
    T* dresidual = at.write<T>("dresidual");
    return [=](std::int64_t first, std::int64_t count) {
      if (first == 0) {
        gradient.tile();
        std::fill_n(zeros, gradient.pieces.period, 0.0f);
      }
      sums.launch(gradient, first, count);
      input_gradient(gradient, zeros, zeros, dx, dresidual, first, count);
    };
  });
}

template <typename T>
std::unique_ptr<Kernel> bias_bwd(const OpDesc& desc) {
  const Pieces pieces(desc.read("dy"));
  const std::int64_t batch = desc.read("dy").dim(0), channels = pieces.channels, all = batch * pieces.perImage;
  ScratchLayout scratch;
  const std::size_t partialAt = scratch.add_floats(all * channels);
  const std::size_t lanesAt = scratch.add_floats(pieces.period * worker_threads());
  const std::size_t totalsAt = scratch.add(channels * sizeof(double));
  Requirements needs;
  needs.scratchpad = scratch.bytes();

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    const T* dy = at.read<T>("dy");
    float* db = at.write("db");
    float* partial = reinterpret_cast<float*>(at.scratchpad() + partialAt);
    float* lanes = reinterpret_cast<float*>(at.scratchpad() + lanesAt);
    double* totals = reinterpret_cast<double*>(at.scratchpad() + totalsAt);
    return [=](std::int64_t first, std::int64_t count) {
      parallel_for(count * pieces.perImage, count * pieces.image_elements(), [&](std::int64_t i, int thread) {
        const std::int64_t p = first * pieces.perImage + i;
        loops<T>().channel_sums(dy + pieces.first_element(p), pieces.rows_of(p) * channels, channels, pieces.period,
                             lanes + thread * pieces.period, partial + p * channels);
      });
      if (first + count < batch) return;
      sum_pieces(partial, all, channels, 0, channels, totals);
      for (std::int64_t c = 0; c < channels; ++c) db[c] = static_cast<float>(totals[c]);
    };
  });
}

ERASERELU_TYPED_KERNEL(bn_bwd_reduce)
ERASERELU_TYPED_KERNEL(bn_bwd_apply)
ERASERELU_TYPED_KERNEL(batch_norm_infer_bwd)
ERASERELU_TYPED_KERNEL(bias_bwd)

}  // namespace eraserelu::cpu
