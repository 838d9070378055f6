#include "onednn/tapwise_filter_gradient.h"

#include <algorithm>

#include "onednn/parallel.h"
#include "onednn/simd/loops.h"

namespace eraserelu::cpu {

namespace {

constexpr std::int64_t kFilters = 48;   // of a block: a multiple of the rows of `multiply`
constexpr std::int64_t kPixels = 64;    // that one product adds up
constexpr std::int64_t kApart = 16;     // floats between copied pixels, so that they do not fall on the same lines of the cache

/// Rows or columns of y whose window has inside the image what lies `offset` from their own place.
struct Stretch {
  std::int64_t begin, end;

  Stretch(std::int64_t sizeY, std::int64_t sizeX, std::int64_t offset)
      : begin(std::clamp<std::int64_t>(-offset, 0, sizeY)), end(std::clamp(sizeX - offset, begin, sizeY)) {}
  std::int64_t size() const { return end - begin; }
};

}  // namespace

/// One tap of some filters, with the memory of their thread.
struct TapwiseFilterSums::Block {
  const float* x;
  const float* dy;
  std::int64_t images;
  std::int64_t first, filters, tap;
  bool afresh;
  float* memory;
};

std::int64_t TapwiseFilterSums::thread_floats() const { return kPixels * (kFilters + shape_.x.channels + kApart); }

std::size_t TapwiseFilterSums::scratch_bytes() const {
  return static_cast<std::size_t>(worker_threads() * thread_floats()) * sizeof(float);
}

void TapwiseFilterSums::bind(void* scratch, float* dw) {
  scratch_ = static_cast<float*>(scratch);
  dw_ = dw;
}

void TapwiseFilterSums::add(const float* x, const float* dy, std::int64_t images, bool afresh) const {
  const std::int64_t filters = shape_.y.channels;
  parallel_for(ceil_div(filters, kFilters) * taps(), images * shape_.y.image() * taps(), [&](std::int64_t at, int thread) {
    const std::int64_t first = at / taps() * kFilters;
    add_block({x, dy, images, first, std::min(kFilters, filters - first), at % taps(), afresh, scratch_ + thread * thread_floats()});
  });
}

void TapwiseFilterSums::add_block(const Block& block) const {
  const auto& [x, y, height, width, padTop, padLeft] = shape_;
  const std::int64_t down = block.tap / width - padTop, right = block.tap % width - padLeft;
  const Stretch rows(y.height, x.height, down), columns(y.width, x.width, right);
  const std::int64_t perImage = rows.size() * columns.size(), pixels = block.images * perImage;
  const std::int64_t filter = taps() * x.channels, pitch = x.channels + kApart;
  float* sums = dw_ + block.first * filter + block.tap * x.channels;
  if (pixels == 0 && block.afresh)
    for (std::int64_t i = 0; i < block.filters; ++i) std::fill_n(sums + i * filter, x.channels, 0.0f);
  float* copyDy = block.memory;
  float* copyX = copyDy + kPixels * kFilters;
  for (std::int64_t first = 0; first < pixels; first += kPixels) {
    const std::int64_t count = std::min(kPixels, pixels - first);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t image = (first + i) / perImage, pixel = (first + i) % perImage;
      const std::int64_t row = rows.begin + pixel / columns.size(), column = columns.begin + pixel % columns.size();
      const float* dy = block.dy + image * y.image() + (row * y.width + column) * y.channels;
      const float* from = block.x + image * x.image() + ((row + down) * x.width + column + right) * x.channels;
      std::copy_n(dy + block.first, block.filters, copyDy + i * block.filters);
      std::copy_n(from, x.channels, copyX + i * pitch);
    }
    best_loops().winograd.multiply({copyDy, 1, block.filters, copyX, pitch, sums, filter, block.filters, x.channels, count,
                                    !block.afresh || first > 0});
  }
}

}  // namespace eraserelu::cpu
