// conv2dBwdFilter: oneDNN's backward-weights primitive. It assigns, so every chunk but the first goes to a buffer of its own
// and is added to the sum so far, in f32; the last one brings the sum into the store's layout and the type of dw.
#include "backend/kernel_base.h"
#include "onednn/convolution_desc.h"
#include "onednn/convolution_filter.h"
#include "onednn/kernels.h"
#include "onednn/parallel.h"
#include "onednn/simd/loops.h"

namespace eraserelu::cpu {

namespace {

using Primitives = ConvolutionPrimitives<dnnl::convolution_backward_weights>;

template <typename T>
class ConvolutionBackwardFilter final : public Kernel {
 public:
  explicit ConvolutionBackwardFilter(const OpDesc& desc)
      : desc_(desc),
        shape_(desc, desc.read("x"), desc.write("dw"), desc.read("dy")),
        images_(desc.chunk > 0 ? std::min(desc.chunk, shape_.batch) : shape_.batch),
        primitives_(
            shape_.batch, images_, shape_.any_gradient(),
            [&](std::int64_t images, const auto& filter) {
              return ask_library(desc, [&] {
                return Primitives::Desc(library_engine(), dnnl::algorithm::convolution_direct, shape_.x(images), filter,
                                        shape_.y(images), shape_.stride, shape_.dilation, shape_.padBegin, shape_.padEnd,
                                        shape_.forward_hint(images), user_scratchpad());
              });
            },
            [](const Primitives::Desc& made) { return made.diff_weights_desc(); }),
        reorder_(desc, primitives_.filter(), shape_.filter()) {
    const std::size_t bytes = primitives_.filter().get_size();
    ScratchLayout scratch;
    scratch.add(primitives_.scratchpad());
    sumAt_ = scratch.add(reorder_.needed() ? bytes : 0);
    partAt_ = scratch.add(images_ < shape_.batch ? bytes : 0);
    requirements_.scratchpad = scratch.bytes();
    for (const char* operand : {"x", "dy"}) requirements_.chunkReads.push_back(static_cast<int>(desc.read_index(operand)));
    requirements_.engine = primitives_.engine();
  }

  Requirements requirements() const override { return requirements_; }

  void bind(const Bindings& bindings) override {
    char* scratchpad = static_cast<char*>(bindings.scratchpad);
    const Operands given(desc_, bindings);
    dy_ = given.read_images<T>("dy", shape_.y_image());
    x_ = given.read_images<T>("x", shape_.x_image());
    void* dw = bindings.writes[desc_.write_index("dw")];
    sum_ = static_cast<float*>(reorder_.needed() ? static_cast<void*>(scratchpad + sumAt_) : dw);
    part_ = reinterpret_cast<float*>(scratchpad + partAt_);
    if (reorder_.needed()) reorder_.bind(sum_, dw);
    primitives_.bind(scratchpad, [&](const Primitives::Desc& made) {
      return Arguments{{DNNL_ARG_SRC, memory_of(made.src_desc(), x_.from(0))},
                       {DNNL_ARG_DIFF_DST, memory_of(made.diff_dst_desc(), dy_.from(0))},
                       {DNNL_ARG_DIFF_WEIGHTS, memory_of(made.diff_weights_desc(), sum_)}};
    });
  }

  void launch(std::int64_t first, std::int64_t count) override {
    primitives_.each(first, count, [&](Execution& execution, std::int64_t image, std::int64_t) {
      execution.at(DNNL_ARG_SRC, x_.from(first) + (image - first) * shape_.x_image());
      execution.at(DNNL_ARG_DIFF_DST, dy_.from(first) + (image - first) * shape_.y_image());
      execution.at(DNNL_ARG_DIFF_WEIGHTS, image == 0 ? sum_ : part_);
      execution.run();
      if (image > 0) add_part();
    });
    if (first + count == shape_.batch && reorder_.needed()) reorder_.run();
  }

 private:
  void add_part() {
    const std::int64_t elements = static_cast<std::int64_t>(primitives_.filter().get_size() / sizeof(float));
    parallel_ranges(elements, 1, [&](std::int64_t begin, std::int64_t end) {
      loops<float>().add(sum_ + begin, part_ + begin, sum_ + begin, end - begin);
    });
  }

  const OpDesc desc_;
  const ConvolutionDesc shape_;
  const std::int64_t images_;
  Primitives primitives_;
  FilterReorder reorder_;
  std::size_t sumAt_ = 0, partAt_ = 0;
  Requirements requirements_;
  Images<const T> dy_, x_;
  float* sum_ = nullptr;
  float* part_ = nullptr;
};

}  // namespace

template <typename T>
std::unique_ptr<Kernel> conv2d_bwd_filter(const OpDesc& desc) { return std::make_unique<ConvolutionBackwardFilter<T>>(desc); }

ERASERELU_TYPED_KERNEL(conv2d_bwd_filter)

}  // namespace eraserelu::cpu
