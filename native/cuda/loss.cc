// softmaxCrossEntropy.
#include "cuda/kernels/loss.h"

#include "backend/kernel_base.h"
#include "base/error.h"
#include "cuda/kernels.h"

namespace eraserelu::cuda {

std::unique_ptr<Kernel> softmax_cross_entropy(const OpDesc& desc, Device& device) {
  const TensorDesc logits = desc.read("logits");
  const auto smoothing = static_cast<float>(desc.attributes.number("labelSmoothing"));
  const std::int64_t rows = logits.dim(0), classes = logits.dim(1);
  if (desc.write("dlogits").present && desc.write("dlogits").dtype != logits.dtype)
    fail(ErrorCode::Unsupported, desc.to_string(), ": dlogits must have the type of logits");
  Requirements needs;
  needs.scratchpad = static_cast<std::size_t>(rows) * (sizeof(double) + sizeof(std::int32_t));

  return own_kernel(desc, needs, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    CrossEntropy a{};
    a.logits = at.read<void>("logits");
    a.labels = at.read<std::int32_t>("labels");
    a.labels2 = at.read<std::int32_t>("labels2");
    a.lambda = at.read("lambda");
    a.smoothing = smoothing;
    a.rows = rows;
    a.classes = classes;
    a.dlogits = at.write<void>("dlogits");
    a.loss = at.write("loss");
    a.correct1 = at.write("correct1");
    a.correct5 = at.write("correct5");
    a.count = at.write("count");
    a.rowLoss = reinterpret_cast<double*>(at.scratchpad());
    a.rowRank = reinterpret_cast<std::int32_t*>(a.rowLoss + rows);
    return [=](std::int64_t, std::int64_t) { return softmax_cross_entropy(logits.dtype, a, stream); };
  });
}

}  // namespace eraserelu::cuda
