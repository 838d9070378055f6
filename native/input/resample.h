// Antialiased bilinear resize of 8-bit images, with Pillow's integer arithmetic: the same bytes as its BILINEAR on every machine.
// Rows are pushed in from top to bottom and output rows are written as soon as they are known, so that no whole image is kept.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "input/view.h"

namespace eraserelu {

/// The weights of two neighbours, in halves (resample.cc).
struct WeightPair {
  std::int16_t high[2] = {0, 0};
  std::int16_t low[2] = {0, 0};
};

/// Which source pixels, counted from the view's begin, make each output pixel of an axis, and their weights.
struct AxisTaps {
  /// `reversed`: the last output pixel comes first.
  AxisTaps(const AxisView& view, bool reversed);

  /// The source pixels that are looked at: [begin(), end()).
  int begin() const { return std::min(first.front(), first.back()); }
  int end() const { return std::max(last.front(), last.back()) + 1; }

  std::vector<int> first, last;      // source pixel of each output pixel
  std::size_t pairs = 0;             // what an output pixel has at most
  std::vector<WeightPair> weights;   // `pairs` an output pixel, zero beyond its last source pixel; their sum is 2^22
};

class Resampler {
 public:
  /// `output`: [y.count, x.count, 3].
  Resampler(const View& view, std::uint8_t* output);

  /// The part of the source image that is looked at.
  int first_row() const { return y_begin_ + y_.begin(); }
  int end_row() const { return y_begin_ + y_.end(); }
  int first_column() const { return x_begin_ + x_.begin(); }
  int end_column() const { return x_begin_ + x_.end(); }

  /// The bytes of a row that push reads, or more: those beyond the last column change nothing.
  std::size_t readable() const;

  /// The next row, the first one being first_row(): four bytes a pixel, of which three count, from first_column() on.
  void push(const std::uint8_t* row);

 private:
  void narrow(const std::uint8_t* row, std::uint8_t* to) const;
  template <std::size_t kPairs>
  void narrow_by(const std::uint8_t* row, std::uint8_t* to) const;
  void write(std::size_t output_row);
  std::uint8_t* kept_row(int y);

  int y_begin_, x_begin_;
  AxisTaps y_, x_;
  std::uint8_t* output_;
  int next_row_;   // counted from the view's begin
  std::size_t next_output_ = 0;
  std::size_t row_bytes_;            // of the output
  std::size_t stride_;               // of `rows_`
  std::vector<std::uint8_t> rows_;   // the last rows as far as they are looked at, at the output's width, three bytes a pixel
};

}  // namespace eraserelu
