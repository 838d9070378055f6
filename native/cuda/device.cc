#include "cuda/device.h"

#include <map>
#include <mutex>

#include "base/error.h"

namespace eraserelu::cuda {

namespace {

thread_local int current = 0;

/// What ended each device that is lost. Never destroyed: runners may still be at work when the process ends.
struct Losses {
  std::mutex mutex;
  std::map<int, std::string> reasons;
};

Losses& losses() {
  static auto& losses = *new Losses();
  return losses;
}

/// The errors of which driver_types.h says that all further work of the process returns them too, and uncorrectable memory errors.
bool is_sticky(cudaError_t status) {
  switch (status) {
    case cudaErrorECCUncorrectable:
    case cudaErrorContained:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorTensorMemoryLeak:
      return true;
    default:
      return false;
  }
}

std::string advice(int device) {
  return "Device '" + device_name(device) + "' is lost to this process: restart it to use the device; other devices go on working.";
}

}  // namespace

void check(cudaError_t status, const std::string& what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();   // forgets it, unless the device is lost
  const std::string message = what + ": " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ")";
  if (!is_sticky(status)) fail(ErrorCode::DeviceError, message);
  {
    const std::lock_guard<std::mutex> lock(losses().mutex);
    losses().reasons.emplace(current, message);
  }
  fail(ErrorCode::DeviceError, message, ". ", advice(current));
}

void use_device(int index) {
  {
    const std::lock_guard<std::mutex> lock(losses().mutex);
    const auto loss = losses().reasons.find(index);
    if (loss != losses().reasons.end()) fail(ErrorCode::DeviceError, advice(index), " What ended it: ", loss->second);
  }
  current = index;
  check(cudaSetDevice(index), "cudaSetDevice(" + std::to_string(index) + ")");
}

bool is_lost(int index) {
  const std::lock_guard<std::mutex> lock(losses().mutex);
  return losses().reasons.count(index) != 0;
}

std::string device_name(int index) { return index == 0 ? "cuda" : "cuda:" + std::to_string(index); }

namespace {

class OwnKernel final : public Kernel {
 public:
  OwnKernel(const OpDesc& desc, Requirements requirements, std::function<DeviceLaunch(const Operands&)> bind)
      : desc_(desc), requirements_(std::move(requirements)), bind_(std::move(bind)) {
    requirements_.engine = "own";
  }

  Requirements requirements() const override { return requirements_; }
  void bind(const Bindings& bindings) override { launch_ = bind_(Operands(desc_, bindings)); }
  void launch(std::int64_t first, std::int64_t count) override {
    const cudaError_t status = launch_(first, count);
    if (status != cudaSuccess) check(status, desc_.to_string() + ": cudaLaunchKernelExC");
  }

 private:
  OpDesc desc_;
  Requirements requirements_;
  std::function<DeviceLaunch(const Operands&)> bind_;
  DeviceLaunch launch_;
};

}  // namespace

std::unique_ptr<Kernel> own_kernel(const OpDesc& desc, Requirements requirements, std::function<DeviceLaunch(const Operands&)> bind) {
  return std::make_unique<OwnKernel>(desc, std::move(requirements), std::move(bind));
}

}  // namespace eraserelu::cuda
