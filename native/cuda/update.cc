// The update section: gradient norm and state, optimizers over the ranges of the arena, the average of the weights.
#include <algorithm>

#include "backend/kernel_base.h"
#include "base/error.h"
#include "cuda/device_table.h"
#include "cuda/kernels.h"
#include "cuda/kernels/update.h"

namespace eraserelu::cuda {

std::unique_ptr<Kernel> grad_norm(const OpDesc& desc, Device& device) {
  const std::size_t first = desc.read_index("gradient");
  const std::vector<TensorDesc> gradients(desc.reads.begin() + static_cast<std::ptrdiff_t>(first), desc.reads.end());
  const double maxNorm = desc.attributes.number("maxNorm");
  std::int64_t pieces = 0;
  for (const TensorDesc& gradient : gradients) pieces += norm_pieces(gradient.elements());
  Requirements needs;
  needs.scratchpad = static_cast<std::size_t>(pieces) * sizeof(double);

  return own_kernel(desc, needs, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    std::vector<const void*> values;
    for (std::size_t i = 0; i < gradients.size(); ++i) values.push_back(at.read_at<void>(first + i));
    return [=, loss = at.read("loss"), state = at.write("state"), step = at.step(),
            sums = reinterpret_cast<double*>(at.scratchpad())](std::int64_t, std::int64_t) {
      double* next = sums;
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        const TensorDesc& gradient = gradients[i];
        const cudaError_t status = sum_of_squares(gradient.dtype, values[i], gradient.elements(), next, stream);
        if (status != cudaSuccess) return status;
        next += norm_pieces(gradient.elements());
      }
      return grad_norm(sums, pieces, loss, maxNorm, step, state, stream);
    };
  });
}

namespace {

void require_f32_weights(const OpDesc& desc) {
  if (desc.read("weights").dtype != DType::f32) fail(ErrorCode::Unsupported, desc.to_string(), ": weights must be f32");
}

/// Throws Unsupported where ranges overlap: their blocks run at the same time.
std::vector<UpdateRange> ranges_of(const OpDesc& desc) {
  const std::vector<std::int64_t> triples = desc.attributes.integers("ranges");
  const std::vector<double>& weightDecay = desc.attributes.numbers("weightDecay");
  std::vector<UpdateRange> ranges;
  for (std::size_t i = 0; i + 2 < triples.size(); i += 3) {
    const auto group = static_cast<std::int32_t>(triples[i + 2]);
    const auto decay = static_cast<float>(weightDecay[static_cast<std::size_t>(group)]);
    if (triples[i + 1] > 0) ranges.push_back({triples[i], triples[i] + triples[i + 1], decay, group, 0});
  }
  std::sort(ranges.begin(), ranges.end(), [](const UpdateRange& a, const UpdateRange& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].begin < ranges[i - 1].end) fail(ErrorCode::Unsupported, desc.to_string(), ": its ranges overlap");
    ranges[i].firstBlock = ranges[i - 1].firstBlock + update_blocks(ranges[i - 1].begin, ranges[i - 1].end);
  }
  return ranges;
}

/// What an optimizer's launch holds: its operands, and the table of ranges that they point to.
struct BoundUpdate {
  Update update;
  std::shared_ptr<DeviceTable<UpdateRange>> table;

  BoundUpdate(const Operands& at, const std::vector<UpdateRange>& ranges, cudaStream_t stream)
      : table(std::make_shared<DeviceTable<UpdateRange>>(ranges, stream)) {
    std::int32_t blocks = 0;
    for (const UpdateRange& range : ranges) blocks += update_blocks(range.begin, range.end);
    update = {at.read<void>("gradient"), at.read("state"), at.step(), at.write("weights"), table->data(),
              static_cast<std::int32_t>(ranges.size()), blocks};
  }
};

}  // namespace

std::unique_ptr<Kernel> sgd_update(const OpDesc& desc, Device& device) {
  require_f32_weights(desc);
  const std::vector<UpdateRange> ranges = ranges_of(desc);
  const DType gradientType = desc.read("gradient").dtype;
  const Sgd sgd{static_cast<float>(desc.attributes.number("momentum")), static_cast<float>(desc.attributes.number("dampening")),
                desc.attributes.flag("nesterov"), nullptr};

  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    const BoundUpdate bound(at, ranges, stream);
    Sgd withVelocity = sgd;
    withVelocity.velocity = at.write("velocity");
    return [=](std::int64_t, std::int64_t) { return sgd_update(gradientType, bound.update, withVelocity, stream); };
  });
}

std::unique_ptr<Kernel> adamw_update(const OpDesc& desc, Device& device) {
  require_f32_weights(desc);
  const std::vector<UpdateRange> ranges = ranges_of(desc);
  const DType gradientType = desc.read("gradient").dtype;
  const Adamw adamw{desc.attributes.number("beta1"), desc.attributes.number("beta2"),
                    static_cast<float>(desc.attributes.number("epsilon")), nullptr, nullptr};

  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    const BoundUpdate bound(at, ranges, stream);
    Adamw withMoments = adamw;
    withMoments.m = at.write("m"), withMoments.v = at.write("v");
    return [=](std::int64_t, std::int64_t) { return adamw_update(gradientType, bound.update, withMoments, stream); };
  });
}

std::unique_ptr<Kernel> ema_update(const OpDesc& desc, Device& device) {
  require_f32_weights(desc);
  const std::int64_t elements = desc.read("weights").elements();
  const auto fresh = static_cast<float>(1.0 - desc.attributes.number("decay"));

  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    return [=, weights = at.read("weights"), state = at.read("state"), ema = at.write("ema")](std::int64_t, std::int64_t) {
      return ema_update(weights, state, ema, fresh, elements, stream);
    };
  });
}

}  // namespace eraserelu::cuda
