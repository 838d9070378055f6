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

/// `to`: dx of the launch's first image on, the others of the batch's.
template <typename T>
void input_gradient(const Gradient<T>& gradient, const BnInputGradient<T>& to, std::int64_t first, std::int64_t count) {
  const Pieces& pieces = gradient.pieces;
  parallel_ranges(count * pieces.rows, pieces.channels, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t row = first * pieces.rows + begin;
    BnInputGradient<T> part = to;
    part.dx += begin * to.pitch;
    if (to.dresidual) part.dresidual += row * pieces.channels;
    if (to.addend) part.addend += row * to.addend_pitch;
    loops<T>().bn_bwd_apply(gradient.from(row), part, (end - begin) * pieces.channels, pieces.channels, pieces.period);
  });
}

/// What bnBwdApply reads, and its tiled vectors.
template <typename T>
class InputGradient {
 public:
  InputGradient(const OpDesc& desc, ScratchLayout& scratch)
      : gradient_(desc, scratch),
        slopeAt_(scratch.add_floats(gradient_.pieces.period)),
        offsetAt_(scratch.add_floats(gradient_.pieces.period)),
        rows_(static_cast<double>(desc.read("x").elements() / gradient_.pieces.channels)) {}

  void bind(const Operands& at) {
    gradient_.bind(at);
    slope_ = reinterpret_cast<float*>(at.scratchpad() + slopeAt_);
    offset_ = reinterpret_cast<float*>(at.scratchpad() + offsetAt_);
    dgamma_ = at.read("dgamma");
    dbeta_ = at.read("dbeta");
  }

  /// At the first launch.
  void tile() const {
    const BnParameters& p = gradient_.parameters;
    gradient_.tile();
    tile_channels(gradient_.pieces, slope_, [&](std::int64_t c) { return -p.scale(c) * p.invstd(c) * dgamma_[c] / rows_; });
    tile_channels(gradient_.pieces, offset_, [&](std::int64_t c) { return -p.scale(c) * dbeta_[c] / rows_; });
  }

  void launch(const Images<T>& dx, T* dresidual, std::int64_t first, std::int64_t count) const {
    const std::int64_t channels = gradient_.pieces.channels;
    input_gradient(gradient_, {slope_, offset_, dx.from(first), dresidual, nullptr, channels, channels}, first, count);
  }

  /// Of the whole batch.
  void launch_sum(const T* addend, std::int64_t addendPitch, T* sum, std::int64_t pitch, std::int64_t count) const {
    input_gradient(gradient_, {slope_, offset_, sum, nullptr, addend, addendPitch, pitch}, 0, count);
  }

 private:
  Gradient<T> gradient_;
  std::size_t slopeAt_, offsetAt_;
  double rows_;
  float *slope_ = nullptr, *offset_ = nullptr;
  const float *dgamma_ = nullptr, *dbeta_ = nullptr;
};

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
  const InputGradient<T> unbound(desc, scratch);
  Requirements needs;
  needs.scratchpad = scratch.bytes();
  needs.inPlace = dx_over_dy(desc);
  needs.chunkWrites = {static_cast<int>(desc.write_index("dx"))};
  const std::int64_t image = Pieces(desc.read("x")).image_elements();

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    InputGradient<T> gradient = unbound;
    gradient.bind(at);
    const Images<T> dx = at.written_images<T>("dx", image);
    T* dresidual = at.write<T>("dresidual");
    return [=](std::int64_t first, std::int64_t count) {
      if (first == 0) gradient.tile();
      gradient.launch(dx, dresidual, first, count);
    };
  });
}

/// The first kernel leaves dx as it is: the second writes the sum from what the first would have read.
template <typename T>
std::vector<std::unique_ptr<Kernel>> bn_bwd_apply_add(const OpDesc& apply, const OpDesc& add) {
  ScratchLayout scratch;
  const auto gradient = std::make_shared<InputGradient<T>>(apply, scratch);
  Requirements needs, needsOfAdd;
  needs.scratchpad = scratch.bytes();
  needs.inPlace = dx_over_dy(apply);
  needs.engine = "loops of the addition";
  needsOfAdd.engine = "loops of bnBwdApply and the addition";
  needsOfAdd.inPlace = {{0, 0}, {1, 0}};
  needsOfAdd.inRun = true;

  std::vector<std::unique_ptr<Kernel>> kernels;
  kernels.push_back(std::make_unique<LoopKernel>(apply, needs, [=](const Operands& at) -> Launch {
    gradient->bind(at);
    return [=](std::int64_t, std::int64_t) { gradient->tile(); };
  }));
  const std::int64_t addendPitch = add.read("a").pixel_pitch(), pitch = add.write("y").pixel_pitch();
  kernels.push_back(std::make_unique<LoopKernel>(add, needsOfAdd, [=](const Operands& at) -> Launch {
    const T* addend = at.read<T>("a");
    T* sum = at.write<T>("y");
    return [=](std::int64_t, std::int64_t count) { gradient->launch_sum(addend, addendPitch, sum, pitch, count); };
  }));
  return kernels;
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
  needs.chunkWrites = {static_cast<int>(desc.write_index("dx"))};

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    Gradient<T> gradient = unbound;
    Sums sums = unboundSums;
    gradient.bind(at);
    sums.bind(at);
    float* zeros = reinterpret_cast<float*>(at.scratchpad() + zerosAt);
    const Images<T> dx = at.written_images<T>("dx", gradient.pieces.image_elements());
    T* dresidual = at.write<T>("dresidual");
    return [=](std::int64_t first, std::int64_t count) {
      if (first == 0) {
        gradient.tile();
        std::fill_n(zeros, gradient.pieces.period, 0.0f);
      }
      sums.launch(gradient, first, count);
      const std::int64_t channels = gradient.pieces.channels;
      input_gradient(gradient, {zeros, zeros, dx.from(first), dresidual, nullptr, channels, channels}, first, count);
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
template std::vector<std::unique_ptr<Kernel>> bn_bwd_apply_add<float>(const OpDesc&, const OpDesc&);
template std::vector<std::unique_ptr<Kernel>> bn_bwd_apply_add<Bf16>(const OpDesc&, const OpDesc&);

}  // namespace eraserelu::cpu
