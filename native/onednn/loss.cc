// softmaxCrossEntropy: rows in parallel, each leaving its loss and rank; the totals are added up in order.
#include <algorithm>
#include <cmath>

#include "backend/kernel_base.h"
#include "base/cross_entropy.h"
#include "onednn/kernels.h"
#include "onednn/parallel.h"

namespace eraserelu::cpu {

namespace {

constexpr std::int64_t kExpWeight = 8;   // a logit costs about as much as 8 elements of a simple loop

struct Row {
  double loss;
  std::int64_t rank;   // -1: not a real row
};

}  // namespace

template <typename T>
std::unique_ptr<Kernel> softmax_cross_entropy(const OpDesc& desc) {
  const std::int64_t batch = desc.read("logits").dim(0), classes = desc.read("logits").dim(1);
  const float smoothing = static_cast<float>(desc.attributes.number("labelSmoothing"));
  Requirements needs;
  needs.scratchpad = static_cast<std::size_t>(batch) * sizeof(Row);

  return loop_kernel(desc, needs, [=](const Operands& at) -> Launch {
    const T* logits = at.read<T>("logits");
    const auto* labels = at.read<std::int32_t>("labels");
    const auto* labels2 = at.read<std::int32_t>("labels2");
    const float* lambda = at.read("lambda");
    float* loss = at.write("loss");
    T* dlogits = at.write<T>("dlogits");
    float* correct1 = at.write("correct1");
    float* correct5 = at.write("correct5");
    float* count = at.write("count");
    Row* rows = reinterpret_cast<Row*>(at.scratchpad());

    const auto target_of = [=](std::int64_t n) {
      return RowTarget<float>{labels[n], labels2 ? labels2[n] : labels[n], labels2 ? lambda[n] : 1.0f, smoothing, classes};
    };
    return [=](std::int64_t, std::int64_t) {
      std::int64_t real = 0;
      for (std::int64_t n = 0; n < batch; ++n) real += row_is_real(target_of(n));
      const float divisor = static_cast<float>(std::max<std::int64_t>(real, 1));
      parallel_ranges(batch, classes * kExpWeight, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n) {
          const RowTarget<float> target = target_of(n);
          const T* row = logits + n * classes;
          rows[n] = {0, -1};
          if (!row_is_real(target)) {
            if (dlogits) std::fill_n(dlogits + n * classes, classes, T(0));
            continue;
          }
          const auto softmax = row_softmax<float>(row, classes);
          rows[n] = {row_loss(row, target, softmax), label_rank(row, classes, target.label)};
          if (!dlogits) continue;
          for (std::int64_t j = 0; j < classes; ++j)
            dlogits[n * classes + j] = row_gradient<float>(target, softmax, row[j], j) / divisor;
        }
      });
      double total = 0;
      std::int64_t first = 0, fifth = 0;
      for (std::int64_t n = 0; n < batch; ++n) {
        total += rows[n].loss;
        first += rows[n].rank == 0;
        fifth += rows[n].rank >= 0 && rows[n].rank < 5;
      }
      *loss = static_cast<float>(total / divisor);
      *correct1 = static_cast<float>(first);
      *correct5 = static_cast<float>(fifth);
      *count = static_cast<float>(real);
    };
  });
}

ERASERELU_TYPED_KERNEL(softmax_cross_entropy)

}  // namespace eraserelu::cpu
