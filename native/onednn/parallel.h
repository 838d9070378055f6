// Cutting work among threads. How work is cut never changes a result: reductions keep one partial result a piece, and the
// pieces (Pieces below) follow from the shape alone.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

#include "base/scratch_layout.h"
#include "base/tensor_desc.h"

namespace eraserelu {

constexpr std::int64_t kSerialElements = 16384;   // below this a parallel region (about 5 µs) costs more than it saves
constexpr std::int64_t kPieceElements = 16384;    // a piece of a reduction: 64 KB, so that it is read once from L2

/// The most threads that any kernel uses, fixed at first use: scratch that threads do not share is sized by it.
inline int worker_threads() {
  static const int threads = omp_get_max_threads();
  return threads;
}

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Calls body(i, thread) for every i in [0, count); `elements` is the work of all of them together.
template <typename Body>
void parallel_for(std::int64_t count, std::int64_t elements, const Body& body) {
  if (count < 2 || elements < kSerialElements || worker_threads() == 1) {
    for (std::int64_t i = 0; i < count; ++i) body(i, 0);
    return;
  }
#pragma omp parallel for schedule(static) num_threads(worker_threads())
  for (std::int64_t i = 0; i < count; ++i) body(i, omp_get_thread_num());
}

/// Calls body(begin, end) on stretches of [0, count), one a thread; every item stands for `weight` elements.
template <typename Body>
void parallel_ranges(std::int64_t count, std::int64_t weight, const Body& body) {
  const std::int64_t parts = std::min<std::int64_t>(count, worker_threads());
  if (parts < 2 || count * weight < kSerialElements) return body(std::int64_t{0}, count);
  parallel_for(parts, count * weight, [&](std::int64_t part, int) { body(count * part / parts, count * (part + 1) / parts); });
}

/// How a tensor [N, …, C] is cut for reductions over everything but C: every image into the same stretches of rows.
struct Pieces {
  std::int64_t channels;
  std::int64_t rows;        // of an image: its elements / C
  std::int64_t pieceRows;   // of every piece but an image's last
  std::int64_t perImage;
  std::int64_t period;      // of tiled channel vectors: the smallest multiple of C that is at least 256

  explicit Pieces(const TensorDesc& tensor)
      : channels(tensor.shape.back()),
        rows(tensor.elements() / (channels * tensor.dim(0))),
        period(channels * ceil_div(256, channels)) {
    pieceRows = std::max(ceil_div(kPieceElements, channels), 8 * period / channels);
    perImage = ceil_div(rows, pieceRows);
  }

  std::int64_t image_elements() const { return rows * channels; }
  std::int64_t first_row(std::int64_t piece) const { return piece / perImage * rows + piece % perImage * pieceRows; }
  std::int64_t first_element(std::int64_t piece) const { return first_row(piece) * channels; }
  std::int64_t rows_of(std::int64_t piece) const { return std::min(pieceRows, rows - piece % perImage * pieceRows); }
};

}  // namespace eraserelu
