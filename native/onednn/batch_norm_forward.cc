// Batch norm forward: statistics of the batch, application with residual and activation, running statistics, inference.
#include "backend/kernel_base.h"
#include "base/activation.h"
#include "base/mask.h"
#include "base/optimizer_formulas.h"
#include "onednn/batch_norm_channels.h"
#include "onednn/kernels.h"
#include "onednn/simd/loops.h"
#include "plan/running_ranges.h"

namespace eraserelu::cpu {

/// Every piece leaves its mean (as a sum of two floats) and its sum of squared deviations; the last launch combines them
/// (Chan's formula, in double).
template <typename T>
std::unique_ptr<Kernel> bn_stats(const OpDesc& desc) {
  const Pieces pieces(desc.read("x"));
  const std::int64_t batch = desc.read("x").dim(0), channels = pieces.channels, all = batch * pieces.perImage;
  const std::int64_t pitch = desc.read("x").pixel_pitch();
  const double epsilon = desc.attributes.number("epsilon");
  ScratchLayout scratch;
  const std::size_t partialAt = scratch.add_floats(3 * all * channels);
  const std::size_t lanesAt = scratch.add_floats(3 * pieces.period * worker_threads());
  const std::size_t totalsAt = scratch.add(2 * channels * sizeof(double));
  Requirements needs;
  needs.scratchpad = scratch.bytes();

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    const T* x = at.read<T>("x");
    float* mean = at.write("mean");
    float* invstd = at.write("invstd");
    float* variance = at.write("variance");
    float* partial = reinterpret_cast<float*>(at.scratchpad() + partialAt);
    float* lanes = reinterpret_cast<float*>(at.scratchpad() + lanesAt);
    double* means = reinterpret_cast<double*>(at.scratchpad() + totalsAt);
    double* squares = means + channels;

    const auto mean_of = [=](std::int64_t p, std::int64_t c) {
      return static_cast<double>(partial[3 * p * channels + c]) + partial[(3 * p + 1) * channels + c];
    };
    const auto combine = [=](std::int64_t begin, std::int64_t end) {
      const double rows = static_cast<double>(batch * pieces.rows);
      for (std::int64_t c = begin; c < end; ++c) means[c] = squares[c] = 0;
      for (std::int64_t p = 0; p < all; ++p)
        for (std::int64_t c = begin; c < end; ++c)
          means[c] += static_cast<double>(pieces.rows_of(p)) * mean_of(p, c);
      for (std::int64_t c = begin; c < end; ++c) means[c] /= rows;
      for (std::int64_t p = 0; p < all; ++p)
        for (std::int64_t c = begin; c < end; ++c) {
          const double d = mean_of(p, c) - means[c];
          squares[c] += partial[(3 * p + 2) * channels + c] + static_cast<double>(pieces.rows_of(p)) * d * d;
        }
      for (std::int64_t c = begin; c < end; ++c) {
        mean[c] = static_cast<float>(means[c]);
        variance[c] = static_cast<float>(squares[c] / rows);
        invstd[c] = static_cast<float>(1.0 / std::sqrt(squares[c] / rows + epsilon));
      }
    };
    return [=](std::int64_t first, std::int64_t count) {
      const std::int64_t begin = first * pieces.perImage;
      parallel_for(count * pieces.perImage, count * pieces.image_elements(), [&](std::int64_t i, int thread) {
        const std::int64_t p = begin + i;
        loops<T>().bn_stats(x + pieces.first_row(p) * pitch, pieces.rows_of(p) * channels, channels, pitch, pieces.period,
                         lanes + thread * 3 * pieces.period, partial + 3 * p * channels);
      });
      if (first + count == batch) parallel_ranges(channels, 2 * all, combine);
    };
  });
}

namespace {

/// bnApply, and batchNormInfer with its epsilon.
template <typename T>
std::unique_ptr<Kernel> apply(const OpDesc& desc, const char* spread, double epsilon) {
  const Pieces pieces(desc.read("x"));
  const bool relu = activation_named(desc.attributes.text("activation")) == Activation::relu;
  const std::int64_t pitch = desc.read("x").pixel_pitch();
  ScratchLayout scratch;
  const std::size_t scaleAt = scratch.add_floats(pieces.period), shiftAt = scratch.add_floats(pieces.period);
  Requirements needs;
  needs.scratchpad = scratch.bytes();
  const int y = static_cast<int>(desc.write_index("y"));
  needs.inPlace = {{static_cast<int>(desc.read_index("x")), y}};
  if (desc.read("residual").present) needs.inPlace.push_back({static_cast<int>(desc.read_index("residual")), y});
  needs.chunkWrites = {y};

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    const BnParameters parameters{at.read("mean"), at.read(spread), at.read("gamma"), at.read("beta"), epsilon};
    float* scale = reinterpret_cast<float*>(at.scratchpad() + scaleAt);
    float* shift = reinterpret_cast<float*>(at.scratchpad() + shiftAt);
    const BnApply<T> whole{at.read<T>("x"), pitch, scale, shift, at.read<T>("residual"), nullptr, at.write<std::uint8_t>("mask"), relu};
    const Images<T> y = at.written_images<T>("y", pieces.image_elements());
    return [=](std::int64_t first, std::int64_t count) {
      if (first == 0) {
        tile_channels(pieces, scale, [&](std::int64_t c) { return parameters.scale(c); });
        tile_channels(pieces, shift, [&](std::int64_t c) { return parameters.shift(c); });
      }
      parallel_ranges(count * pieces.rows, pieces.channels, [&](std::int64_t begin, std::int64_t end) {
        const std::int64_t offset = (first * pieces.rows + begin) * pieces.channels;
        BnApply<T> part = whole;
        part.x += (first * pieces.rows + begin) * pitch;
        part.y = y.from(first) + begin * pieces.channels;
        if (part.residual) part.residual += offset;
        if (part.mask) part.mask += (first * pieces.rows + begin) * mask_bytes(pieces.channels);
        loops<T>().bn_apply(part, (end - begin) * pieces.channels, pieces.channels, pieces.period);
      });
    };
  });
}

}  // namespace

template <typename T>
std::unique_ptr<Kernel> bn_apply(const OpDesc& desc) { return apply<T>(desc, "invstd", -1); }

template <typename T>
std::unique_ptr<Kernel> batch_norm_infer(const OpDesc& desc) {
  return apply<T>(desc, "variance", desc.attributes.number("epsilon"));
}

std::unique_ptr<Kernel> bn_running_update(const OpDesc& desc) {
  const std::vector<RunningRange> ranges = running_ranges(desc.attributes);

  return loop_kernel(desc, {}, [=](const Operands& at) -> Launch {
    const float* statistics = at.read("statistics");
    const float* state = at.read("state");
    float* running = at.write("running");
    return [=](std::int64_t, std::int64_t) {
      if (state[kStateFinite] == 0) return;
      for (const RunningRange& range : ranges) {
        const float* mean = statistics + range.statistics;
        const float* variance = mean + range.channels;
        float* runningMean = running + range.mean;
        float* runningVariance = running + range.variance;
        for (std::int64_t c = 0; c < range.channels; ++c) {
          const double unbiased = unbiased_variance(variance[c], range.count);
          runningMean[c] = static_cast<float>(moving_average<double>(runningMean[c], mean[c], range.momentum));
          runningVariance[c] = static_cast<float>(moving_average<double>(runningVariance[c], unbiased, range.momentum));
        }
      }
    };
  });
}

ERASERELU_TYPED_KERNEL(bn_stats)
ERASERELU_TYPED_KERNEL(bn_apply)
ERASERELU_TYPED_KERNEL(batch_norm_infer)

}  // namespace eraserelu::cpu
