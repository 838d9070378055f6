// conv2dBwdFilter: cuDNN's filter gradient. It assigns, so chunks go to the scratchpad and are added up there.
#include "base/scratch_layout.h"
#include "cuda/chunk_sum.h"
#include "cuda/convolution_graphs.h"
#include "cuda/kernels.h"

namespace eraserelu::cuda {

namespace {

class ConvolutionBackwardFilter final : public Kernel {
 public:
  ConvolutionBackwardFilter(const OpDesc& desc, Device& device, const Policy& policy)
      : desc_(desc),
        device_(device),
        form_(desc),
        graphs_(form_, device, policy),
        dy_(desc.read("dy")),
        x_(desc.read("x")),
        sum_(desc.write("dw"), form_.images() < form_.batch(), scratch_) {
    workspaceAt_ = scratch_.add(graphs_.requirements().scratchpad);
  }

  Requirements requirements() const override {
    Requirements requirements = graphs_.requirements();
    requirements.scratchpad = scratch_.bytes();
    return requirements;
  }

  void bind(const Bindings& bindings) override {
    const Operands at(desc_, bindings);
    dy_.bind(at.read<void>("dy"));
    x_.bind(at.read<void>("x"));
    sum_.bind(at.scratchpad(), at.write<void>("dw"));
    graphs_.bind(at.scratchpad() + workspaceAt_);
  }

  void launch(std::int64_t first, std::int64_t count) override {
    addresses_.assign({dy_.at(first), x_.at(first), sum_.target(first)});
    graphs_.execute(count, addresses_);
    const cudaError_t status = sum_.add(first, first + count == form_.batch(), device_.stream);
    if (status != cudaSuccess) check(status, desc_.to_string());
  }

 private:
  const OpDesc desc_;
  const Device& device_;
  const ConvolutionForm form_;
  ConvolutionGraphs graphs_;
  Images dy_, x_;
  ScratchLayout scratch_;
  ChunkSum sum_;   // behind the scratchpad's layout, which it takes part in
  std::size_t workspaceAt_ = 0;
  std::vector<void*> addresses_;
};

}  // namespace

std::unique_ptr<Kernel> conv2d_bwd_filter(const OpDesc& desc, Device& device, const Policy& policy) {
  return std::make_unique<ConvolutionBackwardFilter>(desc, device, policy);
}

}  // namespace eraserelu::cuda
