// conv2d: one oneDNN primitive with bias, residual (binary post-op) and activation (eltwise post-op).
#include "backend/kernel_base.h"
#include "base/activation.h"
#include "onednn/convolution_desc.h"
#include "onednn/convolution_filter.h"
#include "onednn/kernels.h"
#include "onednn/parallel.h"

namespace eraserelu::cpu {

namespace {

using Primitives = ConvolutionPrimitives<dnnl::convolution_forward>;

constexpr int kResidualArgument = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;

Primitives::Desc prepare(const OpDesc& desc, const ConvolutionDesc& shape, std::int64_t images,
                         const dnnl::memory::desc& filter) {
  dnnl::post_ops operations;
  if (desc.read("residual").present) operations.append_binary(dnnl::algorithm::binary_add, shape.y(images));
  if (activation_named(desc.attributes.text("activation")) == Activation::relu)
    operations.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  dnnl::primitive_attr attributes = user_scratchpad();
  attributes.set_post_ops(operations);
  const dnnl::memory::desc bias = desc.read("bias").present ? shape.bias() : dnnl::memory::desc();
  return ask_library(desc, [&] {
    return Primitives::Desc(library_engine(), dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct,
                            shape.x(images), filter, bias, shape.y(images), shape.stride, shape.dilation, shape.padBegin,
                            shape.padEnd, attributes);
  });
}

template <typename T>
class ConvolutionForward final : public Kernel {
 public:
  explicit ConvolutionForward(const OpDesc& desc)
      : desc_(desc),
        shape_(desc, desc.read("x"), desc.read("w"), desc.write("y")),
        primitives_(
            shape_.batch, desc.chunk > 0 ? std::min(desc.chunk, shape_.batch) : shape_.batch, shape_.any_filter(),
            [&](std::int64_t images, const auto& filter) { return prepare(desc, shape_, images, filter); },
            [](const Primitives::Desc& made) { return made.weights_desc(); }),
        filter_(desc, shape_.filter(), primitives_.filter()) {
    ScratchLayout scratch;
    scratch.add(primitives_.scratchpad());
    filterAt_ = scratch.add(filter_.scratch_bytes());
    requirements_.scratchpad = scratch.bytes();
    requirements_.packed = filter_.packed_bytes();
    requirements_.chunkReads = {static_cast<int>(desc.read_index("x"))};
    requirements_.engine = primitives_.engine();
  }

  Requirements requirements() const override { return requirements_; }

  void bind(const Bindings& bindings) override {
    char* scratchpad = static_cast<char*>(bindings.scratchpad);
    x_ = Operands(desc_, bindings).read_images<T>("x", shape_.x_image());
    residual_ = static_cast<const T*>(bindings.reads[desc_.read_index("residual")]);
    y_ = static_cast<T*>(bindings.writes[desc_.write_index("y")]);
    const void* bias = bindings.reads[desc_.read_index("bias")];
    filter_.bind(bindings.reads[desc_.read_index("w")], bindings.packed, scratchpad + filterAt_);
    primitives_.bind(scratchpad, [&](const Primitives::Desc& made) {
      Arguments arguments = {{DNNL_ARG_SRC, memory_of(made.src_desc(), x_.from(0))},
                             {DNNL_ARG_WEIGHTS, memory_of(made.weights_desc(), filter_.address())},
                             {DNNL_ARG_DST, memory_of(made.dst_desc(), y_)}};
      if (bias) arguments.emplace(DNNL_ARG_BIAS, memory_of(shape_.bias(), bias));
      if (residual_) arguments.emplace(kResidualArgument, memory_of(made.dst_desc(), residual_));
      return arguments;
    });
  }

  void pack() override { filter_.pack(); }

  void launch(std::int64_t first, std::int64_t count) override {
    if (first == 0) filter_.first_launch();
    primitives_.each(first, count, [&](Execution& execution, std::int64_t image, std::int64_t) {
      execution.at(DNNL_ARG_SRC, x_.from(first) + (image - first) * shape_.x_image());
      execution.at(DNNL_ARG_DST, y_ + image * shape_.y_image());
      if (residual_) execution.at(kResidualArgument, residual_ + image * shape_.y_image());
      execution.run();
    });
  }

 private:
  const OpDesc desc_;
  const ConvolutionDesc shape_;
  Primitives primitives_;
  FilterOperand filter_;
  std::size_t filterAt_ = 0;
  Requirements requirements_;
  Images<const T> x_;
  const T* residual_ = nullptr;
  T* y_ = nullptr;
};

}  // namespace

template <typename T>
std::unique_ptr<Kernel> conv2d(const OpDesc& desc) { return std::make_unique<ConvolutionForward<T>>(desc); }

ERASERELU_TYPED_KERNEL(conv2d)

}  // namespace eraserelu::cpu
