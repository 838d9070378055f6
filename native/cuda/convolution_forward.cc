// conv2d: cuDNN's convolution fused with bias, residual and activation; where cuDNN refuses that, the convolution alone and then a
// kernel of our own for the rest.
#include "cuda/convolution_graphs.h"
#include "cuda/kernels.h"
#include "cuda/kernels/epilogue.h"

namespace eraserelu::cuda {

namespace {

class ConvolutionForward final : public Kernel {
 public:
  ConvolutionForward(const OpDesc& desc, Device& device, const Policy& policy)
      : desc_(desc),
        device_(device),
        form_(desc),
        graphs_(form_, device, policy),
        x_(desc.read("x")),
        residual_(desc.read("residual")),
        y_(desc.write("y")) {}

  Requirements requirements() const override {
    Requirements requirements = graphs_.requirements();
    if (needs_epilogue()) requirements.engine += " + own";
    return requirements;
  }

  void bind(const Bindings& bindings) override {
    const Operands at(desc_, bindings);
    x_.bind(at.read<void>("x"));
    residual_.bind(at.read<void>("residual"));
    y_.bind(at.write<void>("y"));
    w_ = const_cast<void*>(at.read<void>("w"));
    bias_ = const_cast<float*>(at.read("bias"));
    graphs_.bind(at.scratchpad());
  }

  void launch(std::int64_t first, std::int64_t count) override {
    addresses_.assign({x_.at(first), w_});
    if (graphs_.fused() && bias_) addresses_.push_back(bias_);
    if (graphs_.fused() && residual_.present()) addresses_.push_back(residual_.at(first));
    addresses_.push_back(y_.at(first));
    graphs_.execute(count, addresses_);
    if (needs_epilogue()) run_epilogue(first, count);
  }

 private:
  bool needs_epilogue() const { return !graphs_.fused() && form_.fusible(); }

  void run_epilogue(std::int64_t first, std::int64_t count) const {
    const TensorDesc& y = desc_.write("y");
    const std::int64_t n = y.elements() / form_.batch() * count;
    const void* residual = residual_.present() ? residual_.at(first) : nullptr;
    const cudaError_t status = epilogue(y.dtype, y_.at(first), bias_, residual, form_.activation(), n, y.dim(3), device_.stream);
    if (status != cudaSuccess) check(status, desc_.to_string());
  }

  const OpDesc desc_;
  const Device& device_;
  const ConvolutionForm form_;
  ConvolutionGraphs graphs_;
  Images x_, residual_, y_;
  void* w_ = nullptr;
  float* bias_ = nullptr;
  std::vector<void*> addresses_;
};

}  // namespace

std::unique_ptr<Kernel> conv2d(const OpDesc& desc, Device& device, const Policy& policy) { return std::make_unique<ConvolutionForward>(desc, device, policy); }

}  // namespace eraserelu::cuda
