#include "input/view.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/philox.h"

namespace eraserelu {

namespace {

double uniform(std::uint32_t word, double low, double high) { return low + (high - low) * (word * (1.0 / 4294967296.0)); }

int integer_below(std::uint32_t word, int n) { return static_cast<int>((std::uint64_t{word} * static_cast<std::uint32_t>(n)) >> 32); }

/// A crop that is resized as a whole: pixels outside of it are not looked at, as in a crop followed by a resize.
AxisView cropped(int begin, int size, int output) { return {begin, size, 0, static_cast<double>(size), output, 0, output}; }

/// What torchvision takes when ten random crops did not fit: the largest centre crop whose ratio is allowed.
View largest_centre(const ViewRule& rule, int height, int width) {
  const double ratio = static_cast<double>(width) / height;
  int h = height, w = width;
  if (ratio < rule.min_ratio) h = static_cast<int>(std::nearbyint(w / rule.min_ratio));
  else if (ratio > rule.max_ratio) w = static_cast<int>(std::nearbyint(h * rule.max_ratio));
  h = std::clamp(h, 1, height);
  w = std::clamp(w, 1, width);
  return {cropped((height - h) / 2, h, rule.height), cropped((width - w) / 2, w, rule.width), false};
}

View random_resized_crop(const ViewRule& rule, std::uint64_t seed, std::uint64_t epoch, std::uint64_t index, int height, int width) {
  constexpr int kTries = 10;
  const double area = static_cast<double>(height) * width;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const Philox4 random = philox_block(seed, epoch, kImageViewStream, 16 * index + static_cast<std::uint64_t>(attempt));
    const double target = area * uniform(random.word[0], rule.min_scale, rule.max_scale);
    const double ratio = std::exp(uniform(random.word[1], std::log(rule.min_ratio), std::log(rule.max_ratio)));
    const double w = std::nearbyint(std::sqrt(target * ratio));
    const double h = std::nearbyint(std::sqrt(target / ratio));
    if (!(w > 0 && w <= width && h > 0 && h <= height)) continue;
    const int crop_h = static_cast<int>(h), crop_w = static_cast<int>(w);
    return {cropped(integer_below(random.word[2], height - crop_h + 1), crop_h, rule.height),
            cropped(integer_below(random.word[3], width - crop_w + 1), crop_w, rule.width), false};
  }
  return largest_centre(rule, height, width);
}

View resized_centre(const ViewRule& rule, int height, int width) {
  // torchvision: the longer side is cut off to an integer; the offset of the centre is rounded, half to even.
  const auto longer = [&](int longer_side, int shorter_side) {
    constexpr std::int64_t kLongest = 1 << 20;
    const std::int64_t side = static_cast<std::int64_t>(rule.resize) * longer_side / shorter_side;
    if (side > kLongest)
      fail(ErrorCode::Unsupported, "an image of ", width, "x", height, " pixels would be ", side, " pixels long when its shorter side is ",
           rule.resize);
    return static_cast<int>(side);
  };
  const int h = height <= width ? rule.resize : longer(height, width);
  const int w = height <= width ? longer(width, height) : rule.resize;
  const auto centre = [](int size, int total, int count) {
    return AxisView{0, size, 0, static_cast<double>(size), total, static_cast<int>(std::nearbyint((total - count) / 2.0)), count};
  };
  return {centre(height, h, rule.height), centre(width, w, rule.width), false};
}

}  // namespace

View choose_view(const ViewRule& rule, std::uint64_t seed, std::uint64_t epoch, std::uint64_t index, int height, int width) {
  View view = rule.random ? random_resized_crop(rule, seed, epoch, index, height, width) : resized_centre(rule, height, width);
  if (rule.flip) view.flip = philox_block(seed, epoch, kImageViewStream, 16 * index + 15).word[0] >> 31;
  return view;
}

}  // namespace eraserelu
