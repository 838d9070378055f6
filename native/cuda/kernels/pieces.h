// How a tensor [N, …, C] is cut for reductions over everything but C: every image into the same stretches of rows, each of which
// one block reduces. The pieces follow from the shape alone, so launching the batch in chunks changes no result.
#pragma once

#include <algorithm>

#include "base/host_device.h"
#include "base/tensor_desc.h"

namespace eraserelu::cuda {

struct Pieces {
  static constexpr std::int64_t leastElements = 8192;   // of a piece: a few packs for each thread
  static constexpr std::int64_t leastRows = 32;         // then partial results are few beside the tensor
  static constexpr std::int64_t enough = 2048;          // pieces of a batch: they fill any GPU

  explicit Pieces(const TensorDesc& tensor)
      : batch(tensor.dim(0)), channels(tensor.shape.back()), rows(tensor.elements() / (channels * batch)) {
    const std::int64_t wanted = std::max<std::int64_t>(1, enough / batch);
    pieceRows = std::max({(leastElements + channels - 1) / channels, leastRows, (rows + wanted - 1) / wanted});
    perImage = (rows + pieceRows - 1) / pieceRows;
  }

  std::int64_t count() const { return batch * perImage; }

  ERASERELU_HD std::int64_t first_row(std::int64_t piece) const { return piece / perImage * rows + piece % perImage * pieceRows; }
  ERASERELU_HD std::int64_t rows_of(std::int64_t piece) const {
    const std::int64_t rest = rows - piece % perImage * pieceRows;
    return rest < pieceRows ? rest : pieceRows;
  }

  template <typename Visit>
  void each_pointer(Visit) const {}

  std::int64_t batch;
  std::int64_t channels;
  std::int64_t rows;        // of an image: its elements / C
  std::int64_t pieceRows;   // of every piece but an image's last
  std::int64_t perImage;
};

}  // namespace eraserelu::cuda
