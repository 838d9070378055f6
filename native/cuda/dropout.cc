// dropout and dropoutBwd: both drop and scale the same elements.
#include "cuda/kernels/dropout.h"

#include "backend/kernel_base.h"
#include "cuda/kernels.h"

namespace eraserelu::cuda {

std::unique_ptr<Kernel> dropout(const OpDesc& desc, Device& device) {
  const TensorDesc tensor = desc.reads[0];
  const double p = desc.attributes.number("p");
  const auto opId = static_cast<std::uint32_t>(desc.attributes.integer("opId"));
  const Dropout whole{static_cast<float>(p), static_cast<float>(1 - p), opId, 0, tensor.elements()};
  const std::int64_t image = tensor.elements() / tensor.dim(0);
  const std::int64_t imageBytes = image * static_cast<std::int64_t>(bytes_of(tensor.dtype));
  const char* output = desc.is("dropout") ? "y" : "dx";
  Requirements needs;
  needs.inPlace = {{0, 0}};

  return own_kernel(desc, needs, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    const char* x = at.read_at<char>(0);
    char* y = at.write<char>(output);
    const StepParams* step = at.step();
    return [=](std::int64_t first, std::int64_t count) {
      Dropout images = whole;
      images.first = first * image;
      return dropout(tensor.dtype, images, step, x + first * imageBytes, y + first * imageBytes, count * image, stream);
    };
  });
}

}  // namespace eraserelu::cuda
