// conv2dBwdFilter where oneDNN has but a general product: it unfolds every window, those outside the image too, into matrices of many times
// the filter's size.
#include "backend/kernel_base.h"
#include "onednn/kernels.h"
#include "onednn/own_convolution_kernels.h"
#include "onednn/tapwise_filter_gradient.h"

namespace eraserelu::cpu {

namespace {

/// More than one tap, with stride 1, on channels that fill whole vectors.
bool applies(const OpDesc& desc, const TapwiseShape& shape) {
  const Attributes& attributes = desc.attributes;
  const Shape one = {1, 1};
  return attributes.integers("stride") == one && attributes.integers("dilation") == one && attributes.integer("groups") == 1 &&
         shape.height * shape.width > 1 && shape.x.lanes() == shape.x.channels;
}

/// "x64:gemm:jit", but not the product that it is where one window is the whole image: "ip:any+x64:gemm:jit".
bool unfolds(const std::string& libraryEngine) {
  return libraryEngine.find(":gemm:") != std::string::npos && libraryEngine.find("ip:") == std::string::npos;
}

}  // namespace

std::unique_ptr<Kernel> tapwise_filter_gradient(const OpDesc& desc, const std::string& libraryEngine) {
  if (!desc.is("conv2dBwdFilter") || !unfolds(libraryEngine)) return nullptr;
  const TensorDesc& dw = desc.write("dw");
  const Shape pad = desc.attributes.integers("pad");
  const TapwiseShape shape = {plane_of(desc.read("x")), plane_of(desc.read("dy")), dw.dim(1), dw.dim(2), pad[0], pad[2]};
  if (!applies(desc, shape)) return nullptr;

  const TapwiseFilterSums unbound(shape);
  Requirements needs;
  needs.scratchpad = unbound.scratch_bytes();
  for (const char* operand : {"x", "dy"}) needs.chunkReads.push_back(static_cast<int>(desc.read_index(operand)));
  needs.engine = engine_name("tapwise");
  return std::make_unique<LoopKernel>(desc, needs, [=](const Operands& at) -> Launch {
    TapwiseFilterSums sums = unbound;
    sums.bind(at.scratchpad(), at.write("dw"));
    const auto x = at.read_images("x", shape.x.image()), dy = at.read_images("dy", shape.y.image());
    return [=](std::int64_t first, std::int64_t count) {
      sums.add(x.from(first), dy.from(first), count, first == 0);
    };
  });
}

}  // namespace eraserelu::cpu
