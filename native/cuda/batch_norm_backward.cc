// Batch norm backward: the sums over the batch, the input gradient, both at once where the statistics are constants;
// and the bias gradient, which is the same reduction without batch norm.
#include "cuda/kernels/batch_norm_backward.h"

#include "backend/kernel_base.h"
#include "base/activation.h"
#include "cuda/kernels.h"
#include "cuda/kernels/channel_sums.h"

namespace eraserelu::cuda {

namespace {

/// What an operation says before its addresses are known.
struct Described {
  explicit Described(const OpDesc& desc)
      : dtype(desc.read("x").dtype),
        pieces(desc.read("x")),
        pitch(desc.read("x").pixel_pitch()),
        relu(activation_named(desc.attributes.text("activation")) == Activation::relu),
        infer(desc.is("batchNormInferBwd")),
        epsilon(infer ? static_cast<float>(desc.attributes.number("epsilon")) : -1) {}

  BnBackward bind(const Operands& at) const {
    const BnParameters parameters{at.read("mean"), at.read(infer ? "variance" : "invstd"), at.read("gamma"), at.read("beta"),
                                  epsilon};
    return {parameters, at.read<void>("dy"), at.read<void>("x"), pitch, at.read<std::uint8_t>("mask"), relu};
  }

  DType dtype;
  Pieces pieces;
  std::int64_t pitch;
  bool relu;
  bool infer;
  float epsilon;
};

/// dgamma and dbeta: partial sums in every launch, their totals in the last.
DeviceLaunch sums(const Described& described, const BnBackward& backward, const Operands& at, cudaStream_t stream) {
  float* partial = reinterpret_cast<float*>(at.scratchpad());
  return [=, dgamma = at.write("dgamma"), dbeta = at.write("dbeta")](std::int64_t first, std::int64_t count) {
    const Pieces& pieces = described.pieces;
    const cudaError_t status =
        bn_bwd_pieces(described.dtype, backward, pieces, first * pieces.perImage, count * pieces.perImage, partial, stream);
    if (status != cudaSuccess || first + count < pieces.batch) return status;
    return sum_pieces(partial, pieces, dbeta, dgamma, stream);
  };
}

/// dx, and dresidual where it is wanted.
DeviceLaunch input_gradient(const Described& described, const BnBackward& backward, const float* dgamma, const float* dbeta,
                            const Operands& at, cudaStream_t stream) {
  const auto values = static_cast<float>(described.pieces.batch * described.pieces.rows);
  const BnInputGradient gradient{dgamma, dbeta, values, at.write<void>("dx"), at.write<void>("dresidual")};
  return [=](std::int64_t first, std::int64_t count) {
    const Pieces& pieces = described.pieces;
    return bn_bwd_apply(described.dtype, backward, gradient, pieces.channels, first * pieces.rows, count * pieces.rows, stream);
  };
}

std::size_t partial_bytes(const Pieces& pieces, int vectors) {
  return static_cast<std::size_t>(vectors * pieces.count() * pieces.channels) * sizeof(float);
}

std::vector<std::pair<int, int>> dx_over_dy(const OpDesc& desc) {
  return {{static_cast<int>(desc.read_index("dy")), static_cast<int>(desc.write_index("dx"))}};
}

}  // namespace

std::unique_ptr<Kernel> bn_bwd_reduce(const OpDesc& desc, Device& device) {
  const Described described(desc);
  Requirements needs;
  needs.scratchpad = partial_bytes(described.pieces, 2);
  return own_kernel(desc, needs,
                    [=, stream = device.stream](const Operands& at) { return sums(described, described.bind(at), at, stream); });
}

std::unique_ptr<Kernel> bn_bwd_apply(const OpDesc& desc, Device& device) {
  const Described described(desc);
  Requirements needs;
  needs.inPlace = dx_over_dy(desc);
  return own_kernel(desc, needs, [=, stream = device.stream](const Operands& at) {
    return input_gradient(described, described.bind(at), at.read("dgamma"), at.read("dbeta"), at, stream);
  });
}

std::unique_ptr<Kernel> batch_norm_infer_bwd(const OpDesc& desc, Device& device) {
  const Described described(desc);
  Requirements needs;
  needs.scratchpad = partial_bytes(described.pieces, 2);
  needs.inPlace = dx_over_dy(desc);
  return own_kernel(desc, needs, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    const BnBackward backward = described.bind(at);
    const DeviceLaunch reduce = sums(described, backward, at, stream);
    const DeviceLaunch apply = input_gradient(described, backward, nullptr, nullptr, at, stream);   // may overwrite dy
    return [=](std::int64_t first, std::int64_t count) {
      const cudaError_t status = reduce(first, count);
      return status != cudaSuccess ? status : apply(first, count);
    };
  });
}

std::unique_ptr<Kernel> bias_bwd(const OpDesc& desc, Device& device) {
  const DType dtype = desc.read("dy").dtype;
  const Pieces pieces(desc.read("dy"));
  Requirements needs;
  needs.scratchpad = partial_bytes(pieces, 1);
  return own_kernel(desc, needs, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    float* partial = reinterpret_cast<float*>(at.scratchpad());
    return [=, dy = at.read<void>("dy"), db = at.write("db")](std::int64_t first, std::int64_t count) {
      const cudaError_t status =
          channel_sums(dtype, dy, pieces, first * pieces.perImage, count * pieces.perImage, partial, stream);
      if (status != cudaSuccess || first + count < pieces.batch) return status;
      return sum_pieces(partial, pieces, db, nullptr, stream);
    };
  });
}

}  // namespace eraserelu::cuda
