// Random colours of an image: fb.resnet.torch's ColorJitter (brightness, contrast, saturation) and Lighting (Krizhevsky et al. 2012).
#pragma once

#include <cstddef>
#include <cstdint>

namespace eraserelu {

/// Each factor is uniform in [1 - x, 1 + x]; x from 0 to 1.
struct ColourRule {
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double lighting = 0;   // standard deviation of the shares of ImageNet's three principal colours

  bool changes() const { return brightness > 0 || contrast > 0 || saturation > 0 || lighting > 0; }
};

/// Operation number of the random numbers below; src/runtime/philox.ts lists it with the others.
constexpr std::uint32_t kImageColourStream = 0xFFFFFF04u;

/// Changes `count` RGB pixels in place: the colours of image number `index` in an epoch, a function of the arguments alone.
void change_colours(const ColourRule& rule, std::uint64_t seed, std::uint64_t epoch, std::uint64_t index, std::uint8_t* pixels, std::size_t count);

}  // namespace eraserelu
