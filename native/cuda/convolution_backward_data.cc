// conv2dBwdData: cuDNN's data gradient fused with the addend; where cuDNN refuses that, the gradient alone and then our own addition.
#include "cuda/convolution_graphs.h"
#include "cuda/kernels.h"
#include "cuda/kernels/elementwise.h"

namespace eraserelu::cuda {

namespace {

class ConvolutionBackwardData final : public Kernel {
 public:
  ConvolutionBackwardData(const OpDesc& desc, Device& device, const Policy& policy)
      : desc_(desc),
        device_(device),
        form_(desc),
        graphs_(form_, device, policy),
        dy_(desc.read("dy")),
        addend_(desc.read("addend")),
        dx_(desc.write("dx")) {}

  Requirements requirements() const override {
    Requirements requirements = graphs_.requirements();
    if (adds_afterwards()) requirements.engine += " + own";
    return requirements;
  }

  void bind(const Bindings& bindings) override {
    const Operands at(desc_, bindings);
    dy_.bind(at.read<void>("dy"));
    addend_.bind(at.read<void>("addend"));
    dx_.bind(at.write<void>("dx"));
    w_ = const_cast<void*>(at.read<void>("w"));
    graphs_.bind(at.scratchpad());
  }

  void launch(std::int64_t first, std::int64_t count) override {
    addresses_.assign({dy_.at(first), w_});
    if (graphs_.fused()) addresses_.push_back(addend_.at(first));
    addresses_.push_back(dx_.at(first));
    graphs_.execute(count, addresses_);
    if (!adds_afterwards()) return;
    const TensorDesc& dx = desc_.write("dx");
    const std::int64_t n = dx.elements() / form_.batch() * count;
    const cudaError_t status = add(dx.dtype, dx_.at(first), addend_.at(first), dx_.at(first), n, device_.stream);
    if (status != cudaSuccess) check(status, desc_.to_string());
  }

 private:
  bool adds_afterwards() const { return desc_.read("addend").present && !graphs_.fused(); }

  const OpDesc desc_;
  const Device& device_;
  const ConvolutionForm form_;
  ConvolutionGraphs graphs_;
  Images dy_, addend_, dx_;
  void* w_ = nullptr;
  std::vector<void*> addresses_;
};

}  // namespace

std::unique_ptr<Kernel> conv2d_bwd_data(const OpDesc& desc, Device& device, const Policy& policy) {
  return std::make_unique<ConvolutionBackwardData>(desc, device, policy);
}

}  // namespace eraserelu::cuda
