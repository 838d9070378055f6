#include "input/resample.h"

#include <smmintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace eraserelu {

namespace {

constexpr int kBits = 22;   // Pillow's PRECISION_BITS: 32 - 8 - 2

// A weight, at most 2^22, is high·2^11 + low: 16-bit halves whose products with bytes pmaddwd takes and adds exactly.
constexpr int kLowBits = 11;

constexpr std::size_t kVector = sizeof(__m128i);

__m128i load(const std::uint8_t* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }

__m128i repeated(const std::int16_t (&halves)[2]) {
  std::int32_t both;
  std::memcpy(&both, halves, sizeof both);
  return _mm_set1_epi32(both);
}

/// Four weighted sums.
struct Sums {
  /// `values`: of 16 bits, the two that belong to a sum beside each other.
  void add(__m128i values, const WeightPair& weights) {
    high = _mm_add_epi32(high, _mm_madd_epi16(values, repeated(weights.high)));
    low = _mm_add_epi32(low, _mm_madd_epi16(values, repeated(weights.low)));
  }

  __m128i rounded() const { return _mm_srai_epi32(_mm_add_epi32(_mm_slli_epi32(high, kLowBits), low), kBits); }

  __m128i high = _mm_setzero_si128();
  __m128i low = _mm_set1_epi32(1 << (kBits - 1));
};

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

std::size_t padded(std::size_t size) { return (size + kVector - 1) / kVector * kVector; }

}  // namespace

AxisTaps::AxisTaps(const AxisView& view, bool reversed) : first(static_cast<std::size_t>(view.count)), last(first.size()) {
  const double scale = (view.box_end - view.box_begin) / view.total;
  const double support = std::max(scale, 1.0);
  const auto centre_of = [&](std::size_t i) {
    const int place = reversed ? view.count - 1 - static_cast<int>(i) : static_cast<int>(i);
    return view.box_begin + (view.first + place + 0.5) * scale;
  };
  int most = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    first[i] = std::max(0, static_cast<int>(centre_of(i) - support + 0.5));
    last[i] = std::min(view.size, static_cast<int>(centre_of(i) + support + 0.5)) - 1;
    most = std::max(most, last[i] + 1 - first[i]);
  }
  pairs = static_cast<std::size_t>(most + 1) / 2;
  weights.resize(pairs * first.size());
  std::vector<double> exact(static_cast<std::size_t>(most));
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto count = static_cast<std::size_t>(last[i] + 1 - first[i]);
    double sum = 0;
    for (std::size_t k = 0; k < count; ++k)
      sum += exact[k] = triangle((static_cast<int>(k) + first[i] - centre_of(i) + 0.5) * (1.0 / support));
    for (std::size_t k = 0; k < count; ++k) {
      const auto weight = static_cast<std::int32_t>(0.5 + (sum != 0 ? exact[k] / sum : exact[k]) * (1 << kBits));
      WeightPair& pair = weights[i * pairs + k / 2];
      pair.high[k % 2] = static_cast<std::int16_t>(weight >> kLowBits);
      pair.low[k % 2] = static_cast<std::int16_t>(weight & ((1 << kLowBits) - 1));
    }
  }
}

Resampler::Resampler(const View& view, std::uint8_t* output)
    : y_begin_(view.y.begin), x_begin_(view.x.begin), y_(view.y, false), x_(view.x, view.flip), output_(output), next_row_(y_.begin()),
      row_bytes_(3 * static_cast<std::size_t>(view.x.count)), stride_(padded(row_bytes_ + 1)), rows_(stride_ * 2 * y_.pairs) {}

std::size_t Resampler::readable() const { return 4 * (static_cast<std::size_t>(x_.end() - 1 - x_.begin()) + 2 * x_.pairs); }

void Resampler::push(const std::uint8_t* row) {
  narrow(row, kept_row(next_row_));
  ++next_row_;
  for (; next_output_ < y_.last.size() && y_.last[next_output_] < next_row_; ++next_output_) write(next_output_);
}

std::uint8_t* Resampler::kept_row(int y) { return rows_.data() + stride_ * (static_cast<std::size_t>(y) % (2 * y_.pairs)); }

void Resampler::narrow(const std::uint8_t* row, std::uint8_t* to) const {
  switch (x_.pairs) {
    case 1: return narrow_by<1>(row, to);
    case 2: return narrow_by<2>(row, to);
    default: return narrow_by<0>(row, to);
  }
}

template <std::size_t kPairs>
void Resampler::narrow_by(const std::uint8_t* row, std::uint8_t* to) const {
  // Of two pixels: red and red, green and green, blue and blue, as 16 bits.
  const __m128i beside = _mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1);
  const std::uint8_t* origin = row - 4 * static_cast<std::ptrdiff_t>(x_.begin());
  const int* first = x_.first.data();
  const WeightPair* weights = x_.weights.data();
  const std::size_t pairs = kPairs != 0 ? kPairs : x_.pairs, width = x_.first.size();
  for (std::size_t i = 0; i < width; ++i) {
    const std::uint8_t* from = origin + 4 * static_cast<std::ptrdiff_t>(first[i]);
    Sums sums;
    for (std::size_t k = 0; k < pairs; ++k)
      sums.add(_mm_shuffle_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + 8 * k)), beside), *weights++);
    const __m128i words = _mm_packs_epi32(sums.rounded(), sums.rounded());
    const int pixel = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    std::memcpy(to + 3 * i, &pixel, sizeof pixel);   // the fourth byte is the next pixel's
  }
}

void Resampler::write(std::size_t i) {
  const WeightPair* weights = y_.weights.data() + i * y_.pairs;
  const std::size_t pairs = static_cast<std::size_t>(y_.last[i] - y_.first[i]) / 2 + 1;
  std::uint8_t* to = output_ + i * row_bytes_;
  for (std::size_t at = 0; at < row_bytes_; at += kVector) {
    Sums sums[4];
    for (std::size_t k = 0; k < pairs; ++k) {
      const int y = y_.first[i] + 2 * static_cast<int>(k);
      const __m128i upper = load(kept_row(y) + at), lower = load(kept_row(y + 1) + at);
      const __m128i beside[2] = {_mm_unpacklo_epi8(upper, lower), _mm_unpackhi_epi8(upper, lower)};
      for (int half = 0; half < 2; ++half) {
        sums[2 * half].add(_mm_unpacklo_epi8(beside[half], _mm_setzero_si128()), weights[k]);
        sums[2 * half + 1].add(_mm_unpackhi_epi8(beside[half], _mm_setzero_si128()), weights[k]);
      }
    }
    const __m128i bytes = _mm_packus_epi16(_mm_packs_epi32(sums[0].rounded(), sums[1].rounded()),
                                           _mm_packs_epi32(sums[2].rounded(), sums[3].rounded()));
    std::memcpy(to + at, &bytes, std::min(kVector, row_bytes_ - at));
  }
}

}  // namespace eraserelu
