// conv2dBwdData: oneDNN's backward-data primitive; an addend is added while the images are still in cache.
#include "backend/kernel_base.h"
#include "onednn/convolution_desc.h"
#include "onednn/convolution_filter.h"
#include "onednn/kernels.h"
#include "onednn/parallel.h"
#include "onednn/simd/loops.h"

namespace eraserelu::cpu {

namespace {

using Primitives = ConvolutionPrimitives<dnnl::convolution_backward_data>;

constexpr std::int64_t kCachedElements = 262144;   // 1 MB: what an addend's images of dx may hold
constexpr std::int64_t kFewestImages = 8;          // fewer slow the convolution down

/// The images a primitive gets: the plan's chunk; else, with an addend, a divisor of the batch that stays in cache; else all.
std::int64_t images_at_once(const OpDesc& desc, const ConvolutionDesc& shape) {
  if (desc.chunk > 0) return std::min(desc.chunk, shape.batch);
  if (!desc.read("addend").present) return shape.batch;
  const std::int64_t fitting = std::min(shape.batch, std::max(kFewestImages, kCachedElements / shape.x_image()));
  for (std::int64_t images = fitting; images >= kFewestImages; --images)
    if (shape.batch % images == 0) return images;
  return shape.batch;
}

template <typename T>
class ConvolutionBackwardData final : public Kernel {
 public:
  explicit ConvolutionBackwardData(const OpDesc& desc)
      : desc_(desc),
        shape_(desc, desc.write("dx"), desc.read("w"), desc.read("dy")),
        primitives_(
            shape_.batch, images_at_once(desc, shape_), shape_.any_filter(),
            [&](std::int64_t images, const auto& filter) {
              return ask_library(desc, [&] {
                return Primitives::Desc(library_engine(), dnnl::algorithm::convolution_direct, shape_.x(images), filter,
                                        shape_.y(images), shape_.stride, shape_.dilation, shape_.padBegin, shape_.padEnd,
                                        shape_.forward_hint(images), user_scratchpad());
              });
            },
            [](const Primitives::Desc& made) { return made.weights_desc(); }),
        filter_(desc, shape_.filter(), primitives_.filter()) {
    ScratchLayout scratch;
    scratch.add(primitives_.scratchpad());
    filterAt_ = scratch.add(filter_.scratch_bytes());
    requirements_.scratchpad = scratch.bytes();
    requirements_.packed = filter_.packed_bytes();
    requirements_.chunkReads = {static_cast<int>(desc.read_index("dy"))};
    requirements_.engine = primitives_.engine();
  }

  Requirements requirements() const override { return requirements_; }

  void bind(const Bindings& bindings) override {
    char* scratchpad = static_cast<char*>(bindings.scratchpad);
    dy_ = Operands(desc_, bindings).read_images<T>("dy", shape_.y_image());
    addend_ = static_cast<const T*>(bindings.reads[desc_.read_index("addend")]);
    dx_ = static_cast<T*>(bindings.writes[desc_.write_index("dx")]);
    filter_.bind(bindings.reads[desc_.read_index("w")], bindings.packed, scratchpad + filterAt_);
    primitives_.bind(scratchpad, [&](const Primitives::Desc& made) {
      return Arguments{{DNNL_ARG_DIFF_DST, memory_of(made.diff_dst_desc(), dy_.from(0))},
                       {DNNL_ARG_WEIGHTS, memory_of(made.weights_desc(), filter_.address())},
                       {DNNL_ARG_DIFF_SRC, memory_of(made.diff_src_desc(), dx_)}};
    });
  }

  void pack() override { filter_.pack(); }

  void launch(std::int64_t first, std::int64_t count) override {
    if (first == 0) filter_.first_launch();
    primitives_.each(first, count, [&](Execution& execution, std::int64_t image, std::int64_t images) {
      execution.at(DNNL_ARG_DIFF_DST, dy_.from(first) + (image - first) * shape_.y_image());
      execution.at(DNNL_ARG_DIFF_SRC, dx_ + image * shape_.x_image());
      execution.run();
      if (addend_) add_addend(image, images);
    });
  }

 private:
  void add_addend(std::int64_t image, std::int64_t images) {
    const std::int64_t start = image * shape_.x_image();
    parallel_ranges(images * shape_.x_image(), 1, [&](std::int64_t begin, std::int64_t end) {
      T* dx = dx_ + start + begin;
      loops<T>().add(dx, addend_ + start + begin, dx, end - begin);
    });
  }

  const OpDesc desc_;
  const ConvolutionDesc shape_;
  Primitives primitives_;
  FilterOperand filter_;
  std::size_t filterAt_ = 0;
  Requirements requirements_;
  Images<const T> dy_;
  const T* addend_ = nullptr;
  T* dx_ = nullptr;
};

}  // namespace

template <typename T>
std::unique_ptr<Kernel> conv2d_bwd_data(const OpDesc& desc) { return std::make_unique<ConvolutionBackwardData<T>>(desc); }

ERASERELU_TYPED_KERNEL(conv2d_bwd_data)

}  // namespace eraserelu::cpu
