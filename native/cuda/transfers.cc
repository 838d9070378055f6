#include "cuda/transfers.h"

#include <array>

#include "base/error.h"

namespace eraserelu::cuda {

namespace {

class Event {
 public:
  Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreateWithFlags"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(cudaStream_t stream) { check(cudaEventRecord(event_, stream), "cudaEventRecord"); }
  /// What follows on the stream comes after what was recorded; at once when nothing was.
  void hold(cudaStream_t stream) const { check(cudaStreamWaitEvent(stream, event_, cudaEventWaitDefault), "cudaStreamWaitEvent"); }
  void wait() const { check(cudaEventSynchronize(event_), "waiting for the GPU: cudaEventSynchronize"); }

  bool reached() const {
    const cudaError_t status = cudaEventQuery(event_);
    if (status == cudaErrorNotReady) return false;
    check(status, "waiting for the GPU: cudaEventQuery");
    return true;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

[[noreturn]] void refuse(std::size_t bytes, const char* kind) {
  cudaGetLastError();
  fail(ErrorCode::OutOfMemory, "cannot allocate ", bytes, " bytes of ", kind, " for inputs and outputs");
}

/// Memory of the host that the GPU reads and writes by itself.
class PinnedMemory {
 public:
  explicit PinnedMemory(std::size_t bytes) {
    const cudaError_t status = cudaMallocHost(&data_, bytes);
    if (status == cudaErrorMemoryAllocation) refuse(bytes, "pinned host memory");
    check(status, "cudaMallocHost of " + std::to_string(bytes) + " bytes");
  }
  ~PinnedMemory() { cudaFreeHost(data_); }
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;

  std::byte* data() const { return static_cast<std::byte*>(data_); }

 private:
  void* data_ = nullptr;
};

class DeviceMemory {
 public:
  explicit DeviceMemory(std::size_t bytes) {
    const cudaError_t status = cudaMalloc(&data_, bytes);
    if (status == cudaErrorMemoryAllocation) refuse(bytes, "GPU memory");
    check(status, "cudaMalloc of " + std::to_string(bytes) + " bytes");
  }
  ~DeviceMemory() { cudaFree(data_); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  std::byte* data() const { return static_cast<std::byte*>(data_); }

 private:
  void* data_ = nullptr;
};

std::size_t total(const std::vector<Extent>& extents) {
  std::size_t bytes = 0;
  for (const Extent& extent : extents) bytes += extent.bytes;
  return bytes;
}

/// Host → staging memory on the copy stream, staging memory → destinations on the compute stream. While a step runs and reads the
/// destinations, the next block already goes to the staging memory.
class CudaInlet final : public Inlet {
 public:
  CudaInlet(const Device& device, const std::vector<Extent>& destinations)
      : device_(device), destinations_(destinations), bytes_(total(destinations)), staging_(bytes_), slots_{Slot(bytes_), Slot(bytes_)} {}

  // What still reads or writes the memory of a slot must end before it is freed.
  ~CudaInlet() override {
    cudaStreamSynchronize(device_.copies);
    cudaStreamSynchronize(device_.stream);
  }

  bool full() const override { return full_; }

  std::byte* begin() override {
    use_device(device_.index);
    slots_[next_].copied.wait();
    return slots_[next_].memory.data();
  }

  void send() override {
    use_device(device_.index);
    Slot& slot = slots_[next_];
    received_.hold(device_.copies);   // the staging memory still holds the block before
    check(cudaMemcpyAsync(staging_.data(), slot.memory.data(), bytes_, cudaMemcpyHostToDevice, device_.copies),
          "copying inputs to the GPU: cudaMemcpyAsync");
    slot.copied.record(device_.copies);
    full_ = true;
  }

  void receive() override {
    use_device(device_.index);
    slots_[next_].copied.hold(device_.stream);
    const std::byte* from = staging_.data();
    for (const Extent& extent : destinations_) {
      if (extent.bytes > 0)
        check(cudaMemcpyAsync(extent.data, from, extent.bytes, cudaMemcpyDeviceToDevice, device_.stream),
              "copying inputs on the GPU: cudaMemcpyAsync");
      from += extent.bytes;
    }
    received_.record(device_.stream);
    full_ = false;
    next_ ^= 1;
  }

 private:
  struct Slot {
    explicit Slot(std::size_t bytes) : memory(bytes) {}
    PinnedMemory memory;
    Event copied;
  };

  const Device& device_;
  std::vector<Extent> destinations_;
  std::size_t bytes_;
  DeviceMemory staging_;
  std::array<Slot, 2> slots_;
  Event received_;
  std::size_t next_ = 0;   // the slot that is filled, or was sent and not received
  bool full_ = false;
};

class CudaOutlet final : public Outlet {
 public:
  CudaOutlet(const Device& device, std::size_t bytes) : device_(device), bytes_(bytes), slots_{Slot(bytes), Slot(bytes)} {}

  ~CudaOutlet() override { cudaStreamSynchronize(device_.stream); }

  void send(const std::vector<Extent>& extents) override {
    check_room(extents);
    use_device(device_.index);
    Slot& slot = slots_[(oldest_ + on_the_way_) % slots_.size()];
    std::byte* to = slot.memory.data();
    for (const Extent& extent : extents) {
      if (extent.bytes > 0)
        check(cudaMemcpyAsync(to, extent.data, extent.bytes, cudaMemcpyDeviceToHost, device_.stream),
              "copying outputs from the GPU: cudaMemcpyAsync");
      to += extent.bytes;
    }
    slot.copied.record(device_.stream);
    ++on_the_way_;
  }

  bool arrived() override {
    use_device(device_.index);
    return slots_[oldest_].copied.reached();
  }

  const std::byte* receive() override {
    eraserelu::check(on_the_way_ > 0, "nothing is on the way from the GPU");
    const Slot& slot = slots_[oldest_];
    oldest_ ^= 1;
    --on_the_way_;
    use_device(device_.index);
    slot.copied.wait();
    return slot.memory.data();
  }

 private:
  struct Slot {
    explicit Slot(std::size_t bytes) : memory(bytes) {}
    PinnedMemory memory;
    Event copied;
  };

  void check_room(const std::vector<Extent>& extents) const {
    eraserelu::check(on_the_way_ < slots_.size(), "more than two blocks are on the way from the GPU");
    eraserelu::check(total(extents) <= bytes_, "outputs of ", total(extents), " bytes on a way for ", bytes_);
  }

  const Device& device_;
  std::size_t bytes_;
  std::array<Slot, 2> slots_;
  std::size_t oldest_ = 0;
  std::size_t on_the_way_ = 0;
};

}  // namespace

std::unique_ptr<Inlet> make_inlet(const Device& device, const std::vector<Extent>& destinations) {
  use_device(device.index);
  return std::make_unique<CudaInlet>(device, destinations);
}

std::unique_ptr<Outlet> make_outlet(const Device& device, std::size_t bytes) {
  use_device(device.index);
  return std::make_unique<CudaOutlet>(device, bytes);
}

}  // namespace eraserelu::cuda
