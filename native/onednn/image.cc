// imageInput and gatherImages: crop, flip, normalise, cut out and pad channels in one pass. There are only 256 values a
// channel, so normalisation is a table.
#include <algorithm>

#include "backend/kernel_base.h"
#include "base/augment.h"
#include "onednn/kernels.h"
#include "onednn/parallel.h"

namespace eraserelu::cpu {

namespace {

template <typename T>
struct Images {
  std::int64_t sources, height, width, channels, outHeight, outWidth, outChannels, pad, cutout;
  bool reflect;
  std::vector<T> table;   // normalised value by channel and raw value

  Images(const OpDesc& desc, const TensorDesc& source, const TensorDesc& x)
      : sources(source.dim(0)), height(source.dim(1)), width(source.dim(2)), channels(source.dim(3)), outHeight(x.dim(1)),
        outWidth(x.dim(2)), outChannels(x.dim(3)), pad(desc.attributes.integer("pad")),
        cutout(desc.attributes.integer("cutout")), reflect(desc.attributes.text("padMode") == "reflect") {
    const std::vector<double>& mean = desc.attributes.numbers("mean");
    const std::vector<double>& std = desc.attributes.numbers("std");
    for (std::size_t c = 0; c < mean.size(); ++c)
      for (int raw = 0; raw < 256; ++raw)
        table.push_back(static_cast<float>(normalise<double>(static_cast<std::uint8_t>(raw), mean[c], std[c])));
  }

  std::int64_t out_image() const { return outHeight * outWidth * outChannels; }

  struct Augmentation {
    std::int64_t top, left;
    bool flip;
    const std::int32_t* cutoutCentre;   // y, x; or nullptr
  };

  /// Row i of an output image.
  void row(const std::uint8_t* image, const Augmentation& a, std::int64_t i, T* out) const {
    const std::int64_t h = source_index(i, a.top, pad, height, reflect);
    for (std::int64_t j = 0; j < outWidth; ++j, out += outChannels) {
      const std::int64_t w = source_index(a.flip ? outWidth - 1 - j : j, a.left, pad, width, reflect);
      std::fill(out + channels, out + outChannels, T(0));
      if (a.cutoutCentre && in_cutout(i, j, a.cutoutCentre[0], a.cutoutCentre[1], cutout)) {
        std::fill(out, out + channels, T(0));
        continue;
      }
      const std::uint8_t* pixel = h < 0 || w < 0 ? nullptr : image + (h * width + w) * channels;
      for (std::int64_t c = 0; c < channels; ++c) out[c] = table[static_cast<std::size_t>(c * 256 + (pixel ? pixel[c] : 0))];
    }
  }
};

}  // namespace

template <typename T>
std::unique_ptr<Kernel> image_input(const OpDesc& desc) {
  const bool gather = desc.is("gatherImages");
  const Images<T> images(desc, desc.reads[0], desc.write("x"));

  return loop_kernel(desc, {}, [=](const Operands& at) -> Launch {
    const std::uint8_t* source = at.read_at<std::uint8_t>(0);
    const auto* indices = gather ? at.read<std::int32_t>("indices") : nullptr;
    const auto* offsets = at.read<std::int32_t>("offsets");
    const auto* flips = at.read<std::uint8_t>("flips");
    const auto* cutouts = at.read<std::int32_t>("cutouts");
    T* x = at.write<T>("x");
    return [=](std::int64_t first, std::int64_t count) {
      parallel_for(count, count * images.out_image(), [&](std::int64_t i, int) {
        const std::int64_t n = first + i, index = gather ? indices[n] : n;
        T* const out = x + n * images.out_image();
        if (index < 0 || index >= images.sources) {
          std::fill_n(out, images.out_image(), T(0));
          return;
        }
        const typename Images<T>::Augmentation a{offsets[2 * n], offsets[2 * n + 1], flips[n] != 0, cutouts ? cutouts + 2 * n : nullptr};
        for (std::int64_t row = 0; row < images.outHeight; ++row)
          images.row(source + index * images.height * images.width * images.channels, a, row,
                     out + row * images.outWidth * images.outChannels);
      });
    };
  });
}

ERASERELU_TYPED_KERNEL(image_input)

}  // namespace eraserelu::cpu
