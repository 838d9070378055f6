#include "reference/reference_backend.h"

#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "reference/kernel.h"

namespace eraserelu {

namespace {

using namespace reference;

constexpr std::size_t kAlignment = 64;

class ReferenceBackend : public Backend {
 public:
  DeviceInfo info() const override { return {"reference", "plain loops in double precision", "scalar", 1}; }

  void* allocate(std::size_t bytes) override {
    const std::size_t rounded = (bytes / kAlignment + 1) * kAlignment;   // never 0, and it holds for any size that can exist
    void* memory = rounded > bytes ? std::aligned_alloc(kAlignment, rounded) : nullptr;
    if (!memory) fail(ErrorCode::OutOfMemory, "the host has no ", bytes, " bytes left");
    return memory;
  }

  void release(void* memory) noexcept override { std::free(memory); }
  void upload(void* device, const void* host, std::size_t bytes) override { std::memcpy(device, host, bytes); }
  void download(void* host, const void* device, std::size_t bytes) override { std::memcpy(host, device, bytes); }
  void fill(void* device, int byte, std::size_t bytes) override { std::memset(device, byte, bytes); }

  std::unique_ptr<Kernel> prepare(const OpDesc& desc, const Policy&) override {
    for (const auto* table : {&kConvolutionKernels, &kBatchNormKernels, &kPoolingKernels, &kElementwiseKernels, &kShapeKernels,
                              &kLossKernels, &kImageKernels, &kUpdateKernels})
      for (const KernelRow& row : *table)
        if (desc.is(row.name)) return row.make(desc);
    fail(ErrorCode::Unsupported, desc.to_string(), ": the reference backend has no such operation");
  }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace eraserelu
