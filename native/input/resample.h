// Antialiased bilinear resize of 8-bit images, with Pillow's integer arithmetic: the same bytes as its BILINEAR on every machine.
// Rows are pushed in from top to bottom and output rows are written as soon as they are known, so that no whole image is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "input/view.h"

namespace eraserelu {

/// Which source pixels, counted from the view's begin, make each output pixel of an axis, and their weights.
struct AxisTaps {
  explicit AxisTaps(const AxisView& view);

  /// The source pixels that are looked at: [begin(), end()).
  int begin() const { return first.front(); }
  int end() const { return first.back() + count.back(); }

  int most = 0;   // the largest count
  std::vector<int> first;
  std::vector<int> count;
  std::vector<std::int32_t> weights;   // `most` an output pixel; their sum is 2^22
};

class Resampler {
 public:
  /// `output`: [y.count, x.count, 3].
  Resampler(const View& view, std::uint8_t* output);

  /// The part of the source image that is looked at.
  int first_row() const { return view_.y.begin + y_.begin(); }
  int end_row() const { return view_.y.begin + y_.end(); }
  int first_column() const { return view_.x.begin + x_.begin(); }
  int end_column() const { return view_.x.begin + x_.end(); }

  /// The next row, the first one being first_row(): four bytes a pixel, of which three count, from first_column() on.
  void push(const std::uint8_t* row);

 private:
  void narrow(const std::uint8_t* row, std::uint8_t* to) const;
  void write(int output_row);

  View view_;
  AxisTaps y_;
  AxisTaps x_;
  std::uint8_t* output_;
  int next_row_;          // counted from the view's begin
  int next_output_ = 0;
  std::size_t stride_;    // bytes of a row in `rows_`
  std::vector<std::uint8_t> rows_;   // the last y_.most rows, narrowed to the output's width
  std::vector<std::int32_t> sums_;
};

}  // namespace eraserelu
