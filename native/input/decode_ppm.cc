// PPM (P6, a byte a colour): pixels as they are.
#include <algorithm>
#include <vector>

#include "base/error.h"
#include "input/decode.h"
#include "input/resample.h"

namespace eraserelu {

namespace {

/// The numbers of the header, with white space and comments between them.
class Header {
 public:
  explicit Header(Bytes file) : file_(file) {}

  std::uint64_t number() {
    while (at_ < file_.size && (space(file_.data[at_]) || file_.data[at_] == '#'))
      if (file_.data[at_++] == '#') while (at_ < file_.size && file_.data[at_] != '\n') ++at_;
    std::uint64_t value = 0;
    const std::size_t begin = at_;
    constexpr std::uint64_t kFar = 1000000000000u;   // more than any image has
    for (; at_ < file_.size && file_.data[at_] >= '0' && file_.data[at_] <= '9'; ++at_)
      value = std::min<std::uint64_t>(10 * value + (file_.data[at_] - '0'), kFar);
    if (at_ == begin || at_ == file_.size) fail(ErrorCode::InvalidArgument, "not a valid PPM: a number is missing in its header");
    return value;
  }

  /// Where the pixels begin: after one white space.
  std::size_t end() const {
    if (!space(file_.data[at_])) fail(ErrorCode::InvalidArgument, "not a valid PPM: no white space before the pixels");
    return at_ + 1;
  }

 private:
  static bool space(std::uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

  Bytes file_;
  std::size_t at_ = 2;   // after P6
};

}  // namespace

void decode_ppm(Bytes file, const Choose& choose) {
  Header header(file);
  const std::uint64_t width = header.number(), height = header.number(), most = header.number();
  check_pixels(height, width);
  if (most != 255) fail(ErrorCode::Unsupported, "a PPM whose largest value is ", most, "; 255 is read");
  const std::size_t begin = header.end(), stride = 3 * width;
  if (file.size - begin < height * stride) fail(ErrorCode::InvalidArgument, "truncated: the file ends before the image does");
  const Wanted wanted = choose(static_cast<int>(height), static_cast<int>(width));
  Resampler resampler(wanted.view, wanted.output);
  const auto first = static_cast<std::size_t>(resampler.first_column()), columns = static_cast<std::size_t>(resampler.end_column()) - first;
  std::vector<std::uint8_t> row(resampler.readable());
  for (int y = resampler.first_row(); y < resampler.end_row(); ++y) {
    const std::uint8_t* from = file.data + begin + stride * static_cast<std::size_t>(y) + 3 * first;
    for (std::size_t x = 0; x < columns; ++x)
      for (std::size_t c = 0; c < 3; ++c) row[4 * x + c] = from[3 * x + c];
    resampler.push(row.data());
  }
}

}  // namespace eraserelu
