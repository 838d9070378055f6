// Random erasing (Zhong et al. 2017, 1708.04896): a rectangle of an image becomes one colour or noise. Chosen as torchvision's RandomErasing does.
#pragma once

#include <array>
#include <cstdint>

namespace eraserelu {

struct ErasingRule {
  double probability = 0;
  double min_scale = 0.02, max_scale = 0.33;   // share of the image's area
  double min_ratio = 0.3, max_ratio = 3.3;     // height / width
  bool noise = false;                          // every byte of its own, uniform
  std::array<std::uint8_t, 3> colour{};        // else
};

/// Operation numbers of the random numbers below; src/runtime/philox.ts lists them with the others.
constexpr std::uint32_t kImageErasingStream = 0xFFFFFF05u;
constexpr std::uint32_t kImageNoiseStream = 0xFFFFFF06u;

/// Changes pixels [height, width, 3] of image number `index` in an epoch in place: a function of the arguments alone.
void erase_rectangle(const ErasingRule& rule, std::uint64_t seed, std::uint64_t epoch, std::uint64_t index, std::uint8_t* pixels, int height, int width);

}  // namespace eraserelu
