#include "onednn/grouped_convolution.h"

#include <algorithm>

#include "onednn/parallel.h"

namespace eraserelu::cpu {

namespace {

constexpr std::int64_t kBandFloats = 1 << 16;   // of the input under a band: 256 KB
constexpr std::int64_t kPixelsAtOnce = 64;      // of a filter's gradient; between them the next band is asked for

}  // namespace

const GroupedLoops* grouped_loops(std::int64_t group) {
  const GroupedLoops* loops = best_loops().grouped;
  const GroupedLoops* found = group == 4 ? loops : group == 8 ? loops + 1 : group == 16 ? loops + 2 : nullptr;
  return found && found->copy ? found : nullptr;
}

GroupedBands::GroupedBands(const GroupedShape& shape)
    : x_(shape.x),
      y_(shape.y),
      padTop_(shape.padTop),
      padLeft_(shape.padLeft),
      lanes_(best_loops().lanes),
      step_(shape.backward ? 1 : shape.stride),
      spread_(shape.backward ? shape.stride : 1),
      left_(padLeft_ / spread_),
      columns_(((y_.width - 1) * step_ + 2 - padLeft_ % spread_) / spread_ + 1),
      loops_(*grouped_loops(shape.group)) {
  std::int64_t most = 1;
  while (most < y_.height && most_rows(most + 1) * x_.width * x_.channels <= kBandFloats) ++most;
  rows_ = ceil_div(y_.height, ceil_div(y_.height, most));
  bands_ = ceil_div(y_.height, rows_);
}

GroupedBands::Band GroupedBands::band(std::int64_t index) const {
  const std::int64_t image = index / bands_, first = index % bands_ * rows_, end = std::min(y_.height, first + rows_);
  const std::int64_t top = std::max<std::int64_t>(0, first * step_ - padTop_), bottom = (end - 1) * step_ + 2 - padTop_;
  const std::int64_t rowX = ceil_div(top, spread_), endX = std::max(rowX, std::min(x_.height, bottom / spread_ + 1));
  return {first, end, rowX, endX, image * x_.image() + rowX * x_.width * x_.channels, image * y_.image() + first * y_.width * y_.channels};
}

void GroupedBands::copy(const float* x, const Band& band, float* to) const {
  const std::int64_t pixels = std::min(x_.width, columns_ - left_), right = columns_ - left_ - pixels;
  const float* from = x + band.x;
  for (std::int64_t row = band.rowX; row < band.endX; ++row, from += x_.width * x_.channels, to += row_floats()) {
    std::fill_n(to, left_ * lanes_, 0.0f);
    loops_.copy(from, x_.channels, pixels, to + left_ * lanes_);
    std::fill_n(to + (left_ + pixels) * lanes_, right * lanes_, 0.0f);
  }
}

void GroupedBands::fetch_x(const float* x, const Band& band, std::int64_t channels, std::int64_t share, std::int64_t shares) const {
  const std::int64_t pixels = (band.endX - band.rowX) * x_.width;
  loops_.fetch(x + band.x, x_.channels, pixels * share / shares, pixels * (share + 1) / shares, channels);
}

void GroupedBands::fetch_y(const float* y, const Band& band, std::int64_t channels, std::int64_t share, std::int64_t shares) const {
  const std::int64_t pixels = band.rows() * y_.width;
  loops_.fetch(y + band.y, y_.channels, pixels * share / shares, pixels * (share + 1) / shares, channels);
}

std::int64_t GroupedBands::row_of(std::int64_t y, std::int64_t tap) const {
  const std::int64_t at = y * step_ + tap - padTop_;
  return at >= 0 && at % spread_ == 0 && at / spread_ < x_.height ? at / spread_ : -1;
}

GroupedConvolution::GroupedConvolution(const GroupedShape& shape) : shape_(shape), bands_(shape), lanes_(best_loops().lanes) {
  const GroupedLoops& loops = *grouped_loops(shape.group);
  row_ = shape.backward && shape.stride == 2 ? loops.spread_row[shape.padLeft % 2] : loops.row[shape.stride - 1];
}

std::size_t GroupedConvolution::filter_bytes() const { return static_cast<std::size_t>(blocks() * block_filter()) * sizeof(float); }

std::size_t GroupedConvolution::scratch_bytes() const {
  return static_cast<std::size_t>(worker_threads() * bands_.copy_floats()) * sizeof(float);
}

/// Of each block [3][3][member of the group that is read][lane that is written].
void GroupedConvolution::transform_filter(const float* w, float* packed) const {
  const std::int64_t group = shape_.group;
  parallel_for(blocks(), blocks() * block_filter(), [&](std::int64_t block, int) {
    float* to = packed + block * block_filter();
    for (std::int64_t tap = 0; tap < 9; ++tap)
      for (std::int64_t member = 0; member < group; ++member)
        for (std::int64_t lane = 0; lane < lanes_; ++lane) {
          const std::int64_t first = block * lanes_ + lane / group * group, own = lane % group;   // of the lane's group
          *to++ = shape_.backward ? w[((first + member) * 9 + 8 - tap) * group + own] : w[((first + own) * 9 + tap) * group + member];
        }
  });
}

void GroupedConvolution::run(const ConvolutionOperands& operands, std::int64_t images) const {
  const std::int64_t bands = images * bands_.per_image();
  parallel_for(bands * blocks(), images * shape_.y.image() * 9, [&](std::int64_t at, int thread) {
    const std::int64_t band = at / blocks(), next = std::min(band + 1, bands - 1);
    run_band(operands, bands_.band(band), bands_.band(next), at % blocks(), scratch_ + thread * bands_.copy_floats());
  });
}

void GroupedConvolution::run_band(const ConvolutionOperands& operands, const GroupedBands::Band& band, const GroupedBands::Band& next,
                                  std::int64_t block, float* copy) const {
  bands_.copy(operands.x + block * lanes_, band, copy);
  GroupedRow row = {};
  row.filter = operands.filter + block * block_filter();
  row.bias = operands.bias ? operands.bias + block * lanes_ : nullptr;
  row.relu = operands.relu;
  row.pitch = shape_.y.channels;
  row.width = shape_.y.width;
  for (std::int64_t y = band.first; y < band.end; ++y) {
    bands_.fetch_x(operands.x, next, shape_.x.channels, block * band.rows() + y - band.first, blocks() * band.rows());
    for (std::int64_t tap = 0; tap < 3; ++tap) {
      const std::int64_t at = bands_.row_of(y, tap);
      row.rows[tap] = at < 0 ? nullptr : copy + (at - band.rowX) * bands_.row_floats();
    }
    const std::int64_t offset = band.y + (y - band.first) * row.width * row.pitch + block * lanes_;
    row.y = operands.y + offset;
    row.addend = operands.addend ? operands.addend + offset : nullptr;
    row_(row);
  }
}

GroupedFilterSums::GroupedFilterSums(const GroupedShape& shape)
    : shape_(shape), bands_(shape), lanes_(best_loops().lanes), loops_(*grouped_loops(shape.group)) {}

std::size_t GroupedFilterSums::scratch_bytes() const {
  return static_cast<std::size_t>(rows() * row_floats() + worker_threads() * thread_floats()) * sizeof(float);
}

/// A thread's part of a band: the blocks of consecutive rows of taps. The first and the last block may be shared with other threads.
struct GroupedFilterSums::Task {
  const float* x;
  const float* dy;
  GroupedBands::Band band, next;
  std::int64_t first, end;   // rows of taps
  float* copyX;
  float* copyDy;

  std::int64_t first_block() const { return first / 3; }
  std::int64_t blocks() const { return ceil_div(end, 3) - first / 3; }
};

void GroupedFilterSums::add(const float* x, const float* dy, std::int64_t images, bool afresh) {
  const std::int64_t parts = std::min<std::int64_t>(rows(), worker_threads());
  const std::int64_t bands = images * bands_.per_image();
  parallel_for(parts, images * shape_.y.image() * 9, [&](std::int64_t part, int thread) {
    Task task = {x, dy, {}, {}, rows() * part / parts, rows() * (part + 1) / parts, nullptr, nullptr};
    if (afresh) std::fill_n(scratch_ + task.first * row_floats(), (task.end - task.first) * row_floats(), 0.0f);
    task.copyX = scratch_ + rows() * row_floats() + thread * thread_floats();
    task.copyDy = task.copyX + bands_.copy_floats();
    for (std::int64_t band = 0; band < bands; ++band) {
      task.band = bands_.band(band);
      task.next = bands_.band(std::min(band + 1, bands - 1));
      for (std::int64_t block = 0; block < task.blocks(); ++block) add_block(task, block);
    }
  });
}

void GroupedFilterSums::add_block(const Task& task, std::int64_t block) const {
  const GroupedBands::Band& band = task.band;
  const std::int64_t width = shape_.y.width, channel = (task.first_block() + block) * lanes_, firstChannel = task.first_block() * lanes_;
  bands_.copy(task.x + channel, band, task.copyX);
  loops_.copy(task.dy + band.y + channel, shape_.y.channels, band.rows() * width, task.copyDy);
  const std::int64_t step = ceil_div(kPixelsAtOnce, width), steps = ceil_div(band.rows(), step);
  for (std::int64_t i = 0; i < 3 * steps; ++i) {
    const std::int64_t tap = i / steps, row = (task.first_block() + block) * 3 + tap;
    if (row < task.first || row >= task.end) continue;
    bands_.fetch_x(task.x + firstChannel, task.next, task.blocks() * lanes_, block * 3 * steps + i, task.blocks() * 3 * steps);
    bands_.fetch_y(task.dy + firstChannel, task.next, task.blocks() * lanes_, block * 3 * steps + i, task.blocks() * 3 * steps);
    std::int64_t from = band.first + i % steps * step, to = std::min(band.end, from + step);
    while (from < to && bands_.row_of(from, tap) < 0) ++from;   // rows that read no row of x through this tap
    while (to > from && bands_.row_of(to - 1, tap) < 0) --to;
    if (from == to) continue;
    loops_.gradient[shape_.stride - 1]({task.copyX + (bands_.row_of(from, tap) - band.rowX) * bands_.row_floats(),
                                        shape_.stride * bands_.row_floats(), task.copyDy + (from - band.first) * width * lanes_, to - from,
                                        width, scratch_ + row * row_floats()});
  }
}

void GroupedFilterSums::write(float* dw) const {
  const std::int64_t group = shape_.group;
  parallel_for(rows(), rows() * row_floats(), [&](std::int64_t row, int) {
    const float* from = scratch_ + row * row_floats();
    for (std::int64_t tap = row % 3 * 3; tap < row % 3 * 3 + 3; ++tap)
      for (std::int64_t member = 0; member < group; ++member)
        for (std::int64_t lane = 0; lane < lanes_; ++lane) {
          const std::int64_t filter = row / 3 * lanes_ + lane / group * group + member;
          dw[(filter * 9 + tap) * group + lane % group] = *from++;
        }
  });
}

}  // namespace eraserelu::cpu
