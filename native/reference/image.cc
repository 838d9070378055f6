// Image input: crop, flip, normalise, cut out and pad channels in one pass, from a batch or from a whole data set.
#include "base/augment.h"
#include "reference/kernel.h"

namespace eraserelu::reference {

namespace {

class ImageKernel : public ReferenceKernel {
 public:
  ImageKernel(const OpDesc& desc, const char* source) : ReferenceKernel(desc), source_(this, source) {}

  void launch(std::int64_t first, std::int64_t count) override {
    for (std::int64_t n = first; n < first + count; ++n)
      for (std::int64_t i = 0; i < x_.dim(1); ++i)
        for (std::int64_t j = 0; j < x_.dim(2); ++j)
          for (std::int64_t c = 0; c < x_.channels(); ++c)
            x_[((n * x_.dim(1) + i) * x_.dim(2) + j) * x_.channels() + c] = value(n, i, j, c);
  }

 protected:
  /// Which image of the source is number n of the batch; outside of the source: none, an image of zeros.
  virtual std::int64_t image_of(std::int64_t n) const = 0;

 private:
  double value(std::int64_t n, std::int64_t i, std::int64_t j, std::int64_t c) const {
    const std::int64_t image = image_of(n);
    if (image < 0 || image >= source_.dim(0) || c >= source_.channels()) return 0;
    if (cutouts_ && in_cutout(i, j, cutouts_[2 * n], cutouts_[2 * n + 1], cutout_)) return 0;
    const std::int64_t column = flips_[n] ? x_.dim(2) - 1 - j : j;
    const std::int64_t h = source_index(i, offsets_[2 * n], pad_, source_.dim(1), reflect_);
    const std::int64_t w = source_index(column, offsets_[2 * n + 1], pad_, source_.dim(2), reflect_);
    const bool outside = h < 0 || w < 0;
    const std::uint8_t raw =
        outside ? 0 : source_[((image * source_.dim(1) + h) * source_.dim(2) + w) * source_.channels() + c];
    return normalise(raw, mean_[c], std_[c]);
  }

  Read<std::uint8_t> source_, flips_{this, "flips"};
  Read<std::int32_t> offsets_{this, "offsets"}, cutouts_{this, "cutouts"};
  Write<AnyFloat> x_{this, "x"};
  const std::vector<double> mean_ = attributes().numbers("mean"), std_ = attributes().numbers("std");
  const std::int64_t pad_ = attributes().integer("pad"), cutout_ = attributes().integer("cutout");
  const bool reflect_ = attributes().text("padMode") == "reflect";
};

class ImageInput : public ImageKernel {
 public:
  explicit ImageInput(const OpDesc& desc) : ImageKernel(desc, "images") {}

 private:
  std::int64_t image_of(std::int64_t n) const override { return n; }
};

class GatherImages : public ImageKernel {
 public:
  explicit GatherImages(const OpDesc& desc) : ImageKernel(desc, "dataset") {}

 private:
  std::int64_t image_of(std::int64_t n) const override { return indices_[n]; }

  Read<std::int32_t> indices_{this, "indices"};
};

}  // namespace

const std::vector<KernelRow> kImageKernels = {
    {"imageInput", make<ImageInput>},
    {"gatherImages", make<GatherImages>},
};

}  // namespace eraserelu::reference
