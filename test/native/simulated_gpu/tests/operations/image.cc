// imageInput and gatherImages.
#include "operation.h"

namespace {

struct Setting {
  Shape images;
  Shape crop;
  std::int64_t pad = 0;
  const char* padMode = "zero";
  std::int64_t cutout = 0;
};

constexpr int sources = 10;

Operation images_of(DType dtype, const Setting& s, bool gather) {
  const std::int64_t n = s.images[0];
  const auto pairs = [n](std::int64_t high0, std::int64_t high1) {
    Values values = integers(2 * n, 0, static_cast<int>(high0));
    const Values second = integers(n, 0, static_cast<int>(high1));
    for (std::size_t i = 0; i < second.size(); ++i) values[2 * i + 1] = second[i];
    return values;
  };
  Shape source = s.images;
  if (gather) source[0] = sources;
  Operation operation(gather ? "gatherImages" : "imageInput");
  operation.read(gather ? "dataset" : "images", DType::u8, source, integers(elements_of(source), 0, 255));
  if (gather) operation.read("indices", DType::i32, {n}, integers(n, -1, sources));
  operation.read("offsets", DType::i32, {n, 2}, pairs(s.images[1] + 2 * s.pad - s.crop[0], s.images[2] + 2 * s.pad - s.crop[1]));
  operation.read("flips", DType::u8, {n}, integers(n, 0, 1));
  if (s.cutout > 0) operation.read("cutouts", DType::i32, {n, 2}, pairs(s.crop[0] - 1, s.crop[1] - 1));
  else operation.without("cutouts");
  const std::size_t channels = static_cast<std::size_t>(s.images[3]);
  std::vector<double> mean = {0.5, 0.25, 0.4}, std = {0.25, 0.5, 0.3};
  mean.resize(channels), std.resize(channels);
  operation.set("mean", mean).set("std", std).set("pad", static_cast<double>(s.pad)).set("padMode", s.padMode);
  return operation.set("cutout", static_cast<double>(s.cutout)).write("x", dtype, {n, s.crop[0], s.crop[1], s.crop[2]});
}

}  // namespace

TEST(images_are_cropped_flipped_normalised) {
  const Setting settings[] = {{{3, 8, 8, 3}, {8, 8, 3}},
                              {{2, 7, 5, 1}, {7, 5, 1}},
                              {{4, 9, 8, 3}, {6, 5, 3}},
                              {{5, 8, 8, 3}, {8, 8, 3}, 2},
                              {{5, 6, 8, 3}, {6, 8, 3}, 4, "reflect"},
                              {{2, 1, 6, 1}, {3, 6, 1}, 2, "reflect"},
                              {{3, 8, 8, 3}, {8, 8, 4}, 1},
                              {{3, 8, 8, 3}, {8, 8, 8}, 1},
                              {{6, 8, 8, 3}, {8, 8, 4}, 2, "zero", 4},
                              {{4, 8, 8, 3}, {8, 8, 3}, 1, "reflect", 3},
                              {{4, 32, 32, 3}, {32, 32, 3}, 4, "zero", 8}};
  for (const DType dtype : floats)
    for (const Setting& setting : settings)
      for (const bool gather : {false, true})
        compare(images_of(dtype, setting, gather), cuda::image_input, dtype == DType::f32 ? 0 : tolerance_of(dtype),
                setting.images[0]);
}
