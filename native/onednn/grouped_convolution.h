// 3x3 convolutions with few channels a group, as many in as out. A vector of channels holds whole groups: a block, whose output depends
// on no other block. Images are cut into bands of rows. A block's part of a band's input is copied, so that its channels lie pixel behind
// pixel, with zeros outside the image; while one band is worked on, the next one is asked for from end to end.
#pragma once

#include <cstddef>
#include <cstdint>

#include "onednn/own_convolution.h"
#include "onednn/simd/loops.h"

namespace eraserelu::cpu {

/// A grouped 3x3 convolution from x to y; for backward data from dy to dx.
struct GroupedShape {
  Plane x, y;
  std::int64_t group;    // channels
  std::int64_t stride;   // as the operation has it: backward data reads stride - 1 rows and columns of zeros between those of dy
  std::int64_t padTop, padLeft;
  bool backward;         // data: the filter is read with its channels exchanged and its taps in the opposite order
};

/// The loops for groups of this size; nullptr where there are none.
const GroupedLoops* grouped_loops(std::int64_t group);

/// The bands of images, small enough that one stays in the second-level cache until every block has been taken.
class GroupedBands {
 public:
  explicit GroupedBands(const GroupedShape& shape);

  struct Band {
    std::int64_t first, end;    // rows of y
    std::int64_t rowX, endX;    // of x: those that any of its windows has inside the image
    std::int64_t x, y;          // where the first pixels of these rows lie

    std::int64_t rows() const { return end - first; }
  };
  std::int64_t per_image() const { return bands_; }
  std::int64_t rows() const { return rows_; }        // of y, of the largest band
  Band band(std::int64_t index) const;               // counted through all images

  /// Copies a block's rows of x under a band; x: of its first channel.
  void copy(const float* x, const Band& band, float* to) const;
  std::int64_t copy_floats() const { return most_rows(rows_) * row_floats(); }
  std::int64_t row_floats() const { return columns_ * lanes_; }

  /// Asks for a share of a band's pixels of x, or of y, ahead of time: so many channels from the given one on.
  void fetch_x(const float* x, const Band& band, std::int64_t channels, std::int64_t share, std::int64_t shares) const;
  void fetch_y(const float* y, const Band& band, std::int64_t channels, std::int64_t share, std::int64_t shares) const;

  /// The row of x that a tap reads for a row of y, or -1 where there is none or zeros.
  std::int64_t row_of(std::int64_t y, std::int64_t tap) const;

 private:
  std::int64_t most_rows(std::int64_t rows) const { return ((rows - 1) * step_ + 2) / spread_ + 1; }

  Plane x_, y_;
  std::int64_t padTop_, padLeft_, lanes_;
  std::int64_t step_, spread_;   // rows of the input, zeros between them counted, from one window to the next and from pixel to pixel
  std::int64_t left_, columns_;  // pixels of a copied row: zeros before the first one, and all
  const GroupedLoops& loops_;
  std::int64_t bands_, rows_;
};

class GroupedConvolution {
 public:
  explicit GroupedConvolution(const GroupedShape& shape);

  std::size_t filter_bytes() const;    // of the packed filter
  std::size_t scratch_bytes() const;   // of all threads
  void bind(void* scratch) { scratch_ = static_cast<float*>(scratch); }

  /// w: dense KRSC as the convolution has it, also for backward data.
  void transform_filter(const float* w, float* packed) const;
  void run(const ConvolutionOperands& operands, std::int64_t images) const;

 private:
  std::int64_t blocks() const { return shape_.y.channels / lanes_; }
  std::int64_t block_filter() const { return 9 * shape_.group * lanes_; }
  void run_band(const ConvolutionOperands& operands, const GroupedBands::Band& band, const GroupedBands::Band& next, std::int64_t block,
                float* copy) const;

  GroupedShape shape_;
  GroupedBands bands_;
  std::int64_t lanes_;
  GroupedLoops::Row row_;
  float* scratch_ = nullptr;
};

/// The gradient of the filter: each sum is one thread's, whatever their number.
class GroupedFilterSums {
 public:
  explicit GroupedFilterSums(const GroupedShape& shape);   // from x to y

  std::size_t scratch_bytes() const;
  void bind(void* scratch) { scratch_ = static_cast<float*>(scratch); }

  /// Adds images that begin at x and dy to the sums; `afresh`: these are the first.
  void add(const float* x, const float* dy, std::int64_t images, bool afresh);
  /// dw: dense KRSC.
  void write(float* dw) const;

 private:
  struct Task;
  void add_block(const Task& task, std::int64_t block) const;
  std::int64_t rows() const { return shape_.y.channels / lanes_ * 3; }     // of taps, of all blocks
  std::int64_t row_floats() const { return 3 * shape_.group * lanes_; }    // its sums
  std::int64_t thread_floats() const { return bands_.copy_floats() + bands_.rows() * shape_.y.width * lanes_; }

  GroupedShape shape_;
  GroupedBands bands_;
  std::int64_t lanes_;
  const GroupedLoops& loops_;
  float* scratch_ = nullptr;
};

}  // namespace eraserelu::cpu
