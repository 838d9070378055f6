// Batch norm forward: statistics of the batch, application with residual and activation, running statistics, inference.
#include "cuda/kernels/batch_norm_forward.h"

#include <algorithm>

#include "backend/kernel_base.h"
#include "base/activation.h"
#include "cuda/device_table.h"
#include "cuda/kernels.h"
#include "plan/running_ranges.h"

namespace eraserelu::cuda {

std::unique_ptr<Kernel> bn_stats(const OpDesc& desc, Device& device) {
  const DType dtype = desc.read("x").dtype;
  const Pieces pieces(desc.read("x"));
  const std::int64_t pitch = desc.read("x").pixel_pitch();
  const double epsilon = desc.attributes.number("epsilon");
  Requirements needs;
  needs.scratchpad = static_cast<std::size_t>(bnMoments * pieces.count() * pieces.channels) * sizeof(float);

  return own_kernel(desc, needs, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    const void* x = at.read<void>("x");
    float* partial = reinterpret_cast<float*>(at.scratchpad());
    const BnStatistics statistics{at.write("mean"), at.write("invstd"), at.write("variance")};
    return [=](std::int64_t first, std::int64_t count) {
      const cudaError_t status =
          bn_stats_pieces(dtype, x, pitch, pieces, first * pieces.perImage, count * pieces.perImage, partial, stream);
      if (status != cudaSuccess || first + count < pieces.batch) return status;
      return bn_stats_combine(partial, pieces, epsilon, statistics, stream);
    };
  });
}

namespace {

/// bnApply, and batchNormInfer with its epsilon.
std::unique_ptr<Kernel> apply(const OpDesc& desc, Device& device, const char* spread, float epsilon) {
  const TensorDesc x = desc.read("x");
  const bool relu = activation_named(desc.attributes.text("activation")) == Activation::relu;
  const std::int64_t channels = x.shape.back(), rows = x.elements() / (channels * x.dim(0));
  Requirements needs;
  const int y = static_cast<int>(desc.write_index("y"));
  needs.inPlace = {{static_cast<int>(desc.read_index("x")), y}};
  if (desc.read("residual").present) needs.inPlace.push_back({static_cast<int>(desc.read_index("residual")), y});

  return own_kernel(desc, needs, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    const BnParameters parameters{at.read("mean"), at.read(spread), at.read("gamma"), at.read("beta"), epsilon};
    std::uint8_t* mask = at.write<std::uint8_t>("mask");
    const BnApply all{parameters, at.read<void>("x"), x.pixel_pitch(), at.read<void>("residual"), at.write<void>("y"), mask, relu};
    return [=](std::int64_t first, std::int64_t count) {
      return bn_apply(x.dtype, all, channels, first * rows, count * rows, stream);
    };
  });
}

}  // namespace

std::unique_ptr<Kernel> bn_apply(const OpDesc& desc, Device& device) { return apply(desc, device, "invstd", -1); }

std::unique_ptr<Kernel> batch_norm_infer(const OpDesc& desc, Device& device) {
  return apply(desc, device, "variance", static_cast<float>(desc.attributes.number("epsilon")));
}

std::unique_ptr<Kernel> bn_running_update(const OpDesc& desc, Device& device) {
  const std::vector<RunningRange> ranges = running_ranges(desc.attributes);
  std::int64_t widest = 0;
  for (const RunningRange& range : ranges) widest = std::max(widest, range.channels);

  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    auto table = std::make_shared<DeviceTable<RunningRange>>(ranges, stream);
    return [=, statistics = at.read("statistics"), state = at.read("state"), running = at.write("running"),
            layers = static_cast<unsigned>(ranges.size())](std::int64_t, std::int64_t) {
      return bn_running_update(statistics, state, running, table->data(), layers, widest, stream);
    };
  });
}

}  // namespace eraserelu::cuda
