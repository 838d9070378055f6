// The update section: gradient norm and state, optimizers over the ranges of the arena, the average of the weights.
#include <cmath>
#include <functional>

#include "backend/kernel_base.h"
#include "base/optimizer_formulas.h"
#include "onednn/kernels.h"
#include "onednn/parallel.h"
#include "onednn/simd/loops.h"

namespace eraserelu::cpu {

namespace {

/// Of so many elements of a gradient from one on.
using SumOfSquares = std::function<double(std::int64_t begin, std::int64_t count)>;

template <typename T>
SumOfSquares sum_of_squares(const T* gradient) {
  return [=](std::int64_t begin, std::int64_t count) { return loops<T>().sum_of_squares(gradient + begin, count); };
}

}  // namespace

/// The gradients may be of different types.
std::unique_ptr<Kernel> grad_norm(const OpDesc& desc) {
  const std::size_t first = desc.read_index("gradient");
  std::vector<std::int64_t> sizes;   // of each gradient
  std::vector<DType> types;
  std::int64_t pieces = 0;
  for (std::size_t i = first; i < desc.reads.size(); ++i) {
    sizes.push_back(desc.reads[i].elements());
    types.push_back(desc.reads[i].dtype);
    pieces += ceil_div(sizes.back(), kPieceElements);
  }
  const double maxNorm = desc.attributes.number("maxNorm");
  Requirements needs;
  needs.scratchpad = static_cast<std::size_t>(pieces) * sizeof(double);

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    std::vector<SumOfSquares> gradients;
    for (std::size_t i = 0; i < sizes.size(); ++i)
      gradients.push_back(types[i] == DType::bf16 ? sum_of_squares(at.read_at<Bf16>(first + i))
                                                  : sum_of_squares(at.read_at<float>(first + i)));
    const float* loss = at.read("loss");
    float* state = at.write("state");
    double* sums = reinterpret_cast<double*>(at.scratchpad());
    const StepParams* step = at.step();
    return [=](std::int64_t, std::int64_t) {
      double* next = sums;
      for (std::size_t g = 0; g < sizes.size(); ++g) {
        const std::int64_t own = ceil_div(sizes[g], kPieceElements);
        parallel_for(own, sizes[g], [&](std::int64_t i, int) {
          const std::int64_t begin = i * kPieceElements;
          next[i] = gradients[g](begin, std::min(kPieceElements, sizes[g] - begin));
        });
        next += own;
      }
      double total = 0;
      for (std::int64_t i = 0; i < pieces; ++i) total += sums[i];
      update_state(state, total, !loss || std::isfinite(*loss), maxNorm, step->microCount);
    };
  });
}

namespace {

/// A stretch of the arena with its parameter group.
struct Range {
  std::int64_t offset, count;
  std::size_t group;
};

std::vector<Range> ranges_of(const OpDesc& desc) {
  const std::vector<std::int64_t> triples = desc.attributes.integers("ranges");
  std::vector<Range> ranges;
  for (std::size_t i = 0; i + 2 < triples.size(); i += 3)
    ranges.push_back({triples[i], triples[i + 1], static_cast<std::size_t>(triples[i + 2])});
  return ranges;
}

}  // namespace

template <typename T>
std::unique_ptr<Kernel> sgd_update(const OpDesc& desc) {
  const std::vector<Range> ranges = ranges_of(desc);
  const std::vector<double> weightDecay = desc.attributes.numbers("weightDecay");
  const float momentum = static_cast<float>(desc.attributes.number("momentum"));
  const float dampening = static_cast<float>(desc.attributes.number("dampening"));
  const bool nesterov = desc.attributes.flag("nesterov");

  return loop_kernel(desc, {}, [=](const Operands& at) -> Launch {
    const T* gradient = at.read<T>("gradient");
    const float* state = at.read("state");
    float* weights = at.write("weights");
    float* velocity = at.write("velocity");
    const StepParams* step = at.step();
    return [=](std::int64_t, std::int64_t) {
      if (state[kStateFinite] == 0) return;
      for (const Range& range : ranges) {
        const SgdParams<float> params{state[kStateScale], step->learningRate[range.group],
                                      static_cast<float>(weightDecay[range.group]), momentum, dampening, nesterov,
                                      state[kStateUpdates] == 1};
        parallel_ranges(range.count, 1, [&](std::int64_t begin, std::int64_t end) {
          const std::int64_t i = range.offset + begin;
          loops<T>().sgd(params, gradient + i, weights + i, velocity ? velocity + i : nullptr, end - begin);
        });
      }
    };
  });
}

template <typename T>
std::unique_ptr<Kernel> adamw_update(const OpDesc& desc) {
  const std::vector<Range> ranges = ranges_of(desc);
  const std::vector<double> weightDecay = desc.attributes.numbers("weightDecay");
  const double beta1 = desc.attributes.number("beta1"), beta2 = desc.attributes.number("beta2");
  const float epsilon = static_cast<float>(desc.attributes.number("epsilon"));

  return loop_kernel(desc, {}, [=](const Operands& at) -> Launch {
    const T* gradient = at.read<T>("gradient");
    const float* state = at.read("state");
    float* weights = at.write("weights");
    float* m = at.write("m");
    float* v = at.write("v");
    const StepParams* step = at.step();
    return [=](std::int64_t, std::int64_t) {
      if (state[kStateFinite] == 0) return;
      const double t = state[kStateUpdates];
      const float correction1 = static_cast<float>(adamw_correction(beta1, t));
      const float correction2 = static_cast<float>(adamw_correction(beta2, t));
      for (const Range& range : ranges) {
        const AdamwParams<float> params{state[kStateScale], step->learningRate[range.group],
                                        static_cast<float>(weightDecay[range.group]), static_cast<float>(beta1),
                                        static_cast<float>(beta2), static_cast<float>(1 - beta1),
                                        static_cast<float>(1 - beta2), epsilon, correction1, correction2};
        parallel_ranges(range.count, 1, [&](std::int64_t begin, std::int64_t end) {
          const std::int64_t i = range.offset + begin;
          loops<T>().adamw(params, gradient + i, weights + i, m + i, v + i, end - begin);
        });
      }
    };
  });
}

std::unique_ptr<Kernel> ema_update(const OpDesc& desc) {
  const std::int64_t elements = desc.read("weights").elements();
  const float fresh = static_cast<float>(1.0 - desc.attributes.number("decay"));

  return loop_kernel(desc, {}, [=](const Operands& at) -> Launch {
    const float* weights = at.read("weights");
    const float* state = at.read("state");
    float* ema = at.write("ema");
    return [=](std::int64_t, std::int64_t) {
      if (state[kStateFinite] == 0) return;
      parallel_ranges(elements, 1, [&](std::int64_t begin, std::int64_t end) {
        best_loops().ema(weights + begin, ema + begin, fresh, end - begin);
      });
    };
  });
}

ERASERELU_TYPED_KERNEL(sgd_update)
ERASERELU_TYPED_KERNEL(adamw_update)

}  // namespace eraserelu::cpu
