// RGB pixels as a JPEG file, through libjpeg-turbo.
#pragma once

#include <cstdint>
#include <vector>

namespace eraserelu {

/// `pixels`: [height, width, 3]. Baseline, colours at half the resolution in both directions. `quality`: 1 to 100, libjpeg's.
std::vector<std::uint8_t> encode_jpeg(const std::uint8_t* pixels, int height, int width, int quality);

}  // namespace eraserelu
