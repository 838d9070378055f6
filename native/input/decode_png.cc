// PNG through lodepng. The whole image is decoded: its rows depend on those above, and PNG files are few where speed counts.
#include <cstring>
#include <vector>

#include "base/error.h"
#include "input/decode.h"
#include "input/resample.h"
#include "third_party/lodepng/lodepng.h"

namespace eraserelu {

namespace {
void expect_success(unsigned error) {
  constexpr unsigned kNoMemory = 83;
  if (error == kNoMemory) fail(ErrorCode::OutOfMemory, lodepng_error_text(error));
  if (error != 0) fail(ErrorCode::InvalidArgument, "not a valid PNG: ", lodepng_error_text(error));
}
}  // namespace

void decode_png(Bytes file, const Choose& choose, const std::atomic<bool>& stop) {
  lodepng::State state;
  unsigned width = 0, height = 0;
  expect_success(lodepng_inspect(&width, &height, &state, file.data, file.size));
  check_pixels(height, width);
  // At most 16 bits in four channels, a filter byte a row, and the rows of the seven passes of interlacing.
  state.decoder.zlibsettings.max_output_size = 9 * std::size_t{width} * height + 8 * std::size_t{height} + 64;
  state.info_raw.colortype = LCT_RGBA;
  state.info_raw.bitdepth = 8;
  std::vector<unsigned char> pixels;
  expect_success(lodepng::decode(pixels, width, height, state, file.data, file.size));
  if (stop) fail_stopped();
  const Wanted wanted = choose(static_cast<int>(height), static_cast<int>(width));
  Resampler resampler(wanted.view, wanted.output);
  const auto first = static_cast<std::size_t>(resampler.first_column()), columns = static_cast<std::size_t>(resampler.end_column()) - first;
  std::vector<std::uint8_t> row(resampler.readable());
  for (int y = resampler.first_row(); y < resampler.end_row(); ++y) {
    std::memcpy(row.data(), pixels.data() + 4 * (std::size_t{width} * static_cast<std::size_t>(y) + first), 4 * columns);
    resampler.push(row.data());
  }
}

}  // namespace eraserelu
