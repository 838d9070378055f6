#include "input/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace eraserelu {

namespace {

constexpr int kBits = 22;   // Pillow's PRECISION_BITS: 32 - 8 - 2
constexpr std::int32_t kHalf = 1 << (kBits - 1);

typedef std::uint8_t Byte4 __attribute__((vector_size(4)));
typedef std::int32_t Int4 __attribute__((vector_size(16)));

Int4 pixel_at(const std::uint8_t* bytes) {
  Byte4 packed;
  std::memcpy(&packed, bytes, sizeof packed);
  return __builtin_convertvector(packed, Int4);
}

std::uint8_t rounded(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kBits, 0, 255)); }

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

}  // namespace

AxisTaps::AxisTaps(const AxisView& view) {
  const double scale = (view.box_end - view.box_begin) / view.total;
  const double support = std::max(scale, 1.0);
  most = static_cast<int>(std::ceil(support)) * 2 + 1;
  weights.resize(static_cast<std::size_t>(most) * static_cast<std::size_t>(view.count));
  std::vector<double> exact(static_cast<std::size_t>(most));
  for (int i = 0; i < view.count; ++i) {
    const double centre = view.box_begin + (view.first + i + 0.5) * scale;
    const int begin = std::max(0, static_cast<int>(centre - support + 0.5));
    const int end = std::min(view.size, static_cast<int>(centre + support + 0.5));
    double sum = 0;
    for (int k = 0; k < end - begin; ++k) sum += exact[static_cast<std::size_t>(k)] = triangle((k + begin - centre + 0.5) * (1.0 / support));
    std::int32_t* to = weights.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(most);
    for (int k = 0; k < end - begin; ++k)
      to[k] = static_cast<std::int32_t>(0.5 + (sum != 0 ? exact[static_cast<std::size_t>(k)] / sum : exact[static_cast<std::size_t>(k)]) * (1 << kBits));
    first.push_back(begin);
    count.push_back(end - begin);
  }
}

Resampler::Resampler(const View& view, std::uint8_t* output)
    : view_(view), y_(view.y), x_(view.x), output_(output), next_row_(y_.begin()), stride_(4 * static_cast<std::size_t>(view.x.count)),
      rows_(stride_ * static_cast<std::size_t>(y_.most)), sums_(stride_) {}

void Resampler::push(const std::uint8_t* row) {
  narrow(row, rows_.data() + stride_ * static_cast<std::size_t>(next_row_ % y_.most));
  ++next_row_;
  for (; next_output_ < view_.y.count; ++next_output_) {
    const auto i = static_cast<std::size_t>(next_output_);
    if (y_.first[i] + y_.count[i] > next_row_) return;
    write(next_output_);
  }
}

void Resampler::narrow(const std::uint8_t* row, std::uint8_t* to) const {
  const int width = view_.x.count;
  const int origin = x_.begin();
  for (int i = 0; i < width; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::uint8_t* from = row + 4 * static_cast<std::ptrdiff_t>(x_.first[at] - origin);
    const std::int32_t* weights = x_.weights.data() + at * static_cast<std::size_t>(x_.most);
    Int4 sum = {kHalf, kHalf, kHalf, kHalf};
    for (int k = 0; k < x_.count[at]; ++k) sum += pixel_at(from + 4 * k) * weights[k];
    std::uint8_t* pixel = to + 4 * static_cast<std::ptrdiff_t>(view_.flip ? width - 1 - i : i);
    for (int c = 0; c < 3; ++c) pixel[c] = rounded(sum[c]);
  }
}

void Resampler::write(int output_row) {
  const auto i = static_cast<std::size_t>(output_row);
  std::fill(sums_.begin(), sums_.end(), kHalf);
  for (int k = 0; k < y_.count[i]; ++k) {
    const std::int32_t weight = y_.weights[i * static_cast<std::size_t>(y_.most) + static_cast<std::size_t>(k)];
    const std::uint8_t* row = rows_.data() + stride_ * static_cast<std::size_t>((y_.first[i] + k) % y_.most);
    for (std::size_t j = 0; j < stride_; ++j) sums_[j] += row[j] * weight;
  }
  std::uint8_t* to = output_ + 3 * i * static_cast<std::size_t>(view_.x.count);
  for (std::size_t j = 0; j < static_cast<std::size_t>(view_.x.count); ++j)
    for (std::size_t c = 0; c < 3; ++c) to[3 * j + c] = rounded(sums_[4 * j + c]);
}

}  // namespace eraserelu
