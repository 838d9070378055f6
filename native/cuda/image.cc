// imageInput and gatherImages. There are only 256 values a channel, so normalisation is a table.
#include "cuda/kernels/image.h"

#include "backend/kernel_base.h"
#include "base/augment.h"
#include "cuda/device_table.h"
#include "cuda/kernels.h"

namespace eraserelu::cuda {

namespace {

/// By channel and raw value; behind them the zero of pixels that are cut out and of channels that the source has not.
std::vector<float> normalised_values(const OpDesc& desc) {
  const std::vector<double>& mean = desc.attributes.numbers("mean");
  const std::vector<double>& std = desc.attributes.numbers("std");
  std::vector<float> table;
  for (std::size_t c = 0; c < mean.size(); ++c)
    for (int raw = 0; raw < 256; ++raw)
      table.push_back(static_cast<float>(normalise<double>(static_cast<std::uint8_t>(raw), mean[c], std[c])));
  table.push_back(0);
  return table;
}

}  // namespace

std::unique_ptr<Kernel> image_input(const OpDesc& desc, Device& device) {
  const TensorDesc source = desc.reads[0], x = desc.write("x");
  const bool gather = desc.is("gatherImages");
  const std::vector<float> values = normalised_values(desc);
  ImageInput images{};
  images.sources = source.dim(0), images.height = source.dim(1), images.width = source.dim(2), images.channels = source.dim(3);
  images.outHeight = x.dim(1), images.outWidth = x.dim(2), images.outChannels = x.dim(3);
  images.pad = desc.attributes.integer("pad");
  images.cutout = desc.attributes.integer("cutout");
  images.reflect = desc.attributes.text("padMode") == "reflect";

  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    const auto table = std::make_shared<DeviceTable<float>>(values, stream);
    ImageInput a = images;
    a.source = at.read_at<std::uint8_t>(0);
    a.indices = gather ? at.read<std::int32_t>("indices") : nullptr;
    a.offsets = at.read<std::int32_t>("offsets");
    a.flips = at.read<std::uint8_t>("flips");
    a.cutouts = at.read<std::int32_t>("cutouts");
    a.table = table->data();
    a.x = at.write<void>("x");
    return [=](std::int64_t first, std::int64_t count) {
      static_cast<void>(table);   // kept as long as the launch
      return image_input(x.dtype, a, first, count, stream);
    };
  });
}

}  // namespace eraserelu::cuda
