#include "cuda/chunk_sum.h"

#include "cuda/kernels/elementwise.h"

namespace eraserelu::cuda {

ChunkSum::ChunkSum(const TensorDesc& gradient, bool chunked, ScratchLayout& scratch) : gradient_(gradient), chunked_(chunked) {
  if (!chunked_) return;
  partAt_ = scratch.add(gradient.bytes());
  if (gradient.dtype != DType::f32) totalAt_ = scratch.add_floats(gradient.elements());
}

void ChunkSum::bind(char* scratchpad, void* gradient) {
  written_ = gradient;
  part_ = scratchpad + partAt_;
  total_ = reinterpret_cast<float*>(gradient_.dtype == DType::f32 ? gradient : scratchpad + totalAt_);
}

void* ChunkSum::target(std::int64_t first) const {
  const bool directly = !chunked_ || (gradient_.dtype == DType::f32 && first == 0);
  return directly ? written_ : part_;
}

cudaError_t ChunkSum::add(std::int64_t first, bool last, cudaStream_t stream) const {
  if (target(first) == written_) return cudaSuccess;
  const std::int64_t n = gradient_.elements();
  const cudaError_t status = first == 0 ? cast(gradient_.dtype, part_, DType::f32, total_, n, stream)
                                        : accumulate(gradient_.dtype, part_, total_, n, stream);
  if (status != cudaSuccess || !last || gradient_.dtype == DType::f32) return status;
  return cast(DType::f32, total_, gradient_.dtype, written_, n, stream);
}

}  // namespace eraserelu::cuda
