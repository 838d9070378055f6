#include "cuda/cuda_backend.h"

#include "base/error.h"
#include "cuda/cudnn_graph.h"
#include "cuda/kernels.h"
#include "cuda/transfers.h"

namespace eraserelu {

namespace cuda {
namespace {

/// Launches captured into a CUDA graph.
class GraphRecording final : public Recording {
 public:
  GraphRecording(cudaGraph_t graph, cudaStream_t stream) : stream_(stream) {
    const cudaError_t status = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    check(status, "cudaGraphInstantiate");
  }
  ~GraphRecording() override { cudaGraphExecDestroy(executable_); }

  void replay() override { check(cudaGraphLaunch(executable_, stream_), "cudaGraphLaunch"); }

 private:
  cudaGraphExec_t executable_ = nullptr;
  cudaStream_t stream_;
};

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(int index) {
    device_.index = index;
    use();
    if (attribute(cudaDevAttrComputeCapabilityMajor) < 8)
      fail(ErrorCode::Unsupported, "GPU ", index, " is of architecture ", architecture(), "; this package needs sm_80 (Ampere) or newer");
    device_.multiprocessors = attribute(cudaDevAttrMultiProcessorCount);
    check(cudaStreamCreateWithFlags(&device_.stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    check(cudaStreamCreateWithFlags(&device_.copies, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    device_.cudnn = create_cudnn(device_.stream);
  }

  DeviceInfo info() const override {
    use();
    int runtime = 0;
    check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
    const std::string cuda = std::to_string(runtime / 1000) + "." + std::to_string(runtime % 1000 / 10);
    return {device_name(device_.index), "cuDNN " + cudnn_version() + ", CUDA " + cuda, architecture(), device_.multiprocessors};
  }

  void* allocate(std::size_t bytes) override {
    use();
    void* memory = nullptr;
    const cudaError_t status = cudaMalloc(&memory, bytes ? bytes : 1);
    if (status == cudaErrorMemoryAllocation) refuse_memory(bytes);
    check(status, "cudaMalloc of " + std::to_string(bytes) + " bytes");
    return memory;
  }

  // An error here is one of earlier work: it stays with the device and is reported by the next call. A lost device gives nothing back.
  void release(void* memory) noexcept override {
    if (memory && !is_lost(device_.index) && cudaSetDevice(device_.index) == cudaSuccess) cudaFree(memory);
  }

  std::size_t free_memory() override {
    use();
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
    return free;
  }

  void upload(void* device, const void* host, std::size_t bytes) override {
    use();
    check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, device_.stream), "copying to the GPU: cudaMemcpyAsync");
  }

  void download(void* host, const void* device, std::size_t bytes) override {
    use();
    check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, device_.stream), "copying from the GPU: cudaMemcpyAsync");
    synchronize();
  }

  void fill(void* device, int byte, std::size_t bytes) override {
    use();
    check(cudaMemsetAsync(device, byte, bytes, device_.stream), "filling memory of the GPU: cudaMemsetAsync");
  }

  bool has_transfers() const override { return true; }
  std::unique_ptr<Inlet> inlet(const std::vector<Extent>& destinations) override { return make_inlet(device_, destinations); }
  std::unique_ptr<Outlet> outlet(std::size_t bytes) override { return make_outlet(device_, bytes); }

  std::unique_ptr<Kernel> prepare(const OpDesc& desc, const Policy& policy) override {
    use();
    return prepare_kernel(desc, device_, policy);
  }

  std::vector<std::unique_ptr<Kernel>> prepare_run(const OpDesc& first, const OpDesc& second, const Policy& policy) override {
    use();
    return batch_norm_run(first, second, device_, policy);
  }

  void synchronize() override {
    use();
    check(cudaStreamSynchronize(device_.stream), "waiting for the GPU: cudaStreamSynchronize");
  }

  std::unique_ptr<Recording> record(const std::function<void()>& launches) override {
    use();
    check(cudaStreamBeginCapture(device_.stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    try {
      launches();
    } catch (...) {
      end_capture();
      throw;
    }
    cudaGraph_t graph = nullptr;
    if (const cudaError_t status = cudaStreamEndCapture(device_.stream, &graph); status != cudaSuccess) {
      end_capture();   // a stream that were captured for ever could do nothing else
      check(status, "cudaStreamEndCapture");
    }
    return std::make_unique<GraphRecording>(graph, device_.stream);
  }

 private:
  /// Launches follow on the thread that prepared and uploaded.
  void use() const { use_device(device_.index); }

  /// After a failure: forgets what was recorded.
  void end_capture() const {
    cudaGraph_t graph = nullptr;
    cudaStreamEndCapture(device_.stream, &graph);
    if (graph) cudaGraphDestroy(graph);
  }

  int attribute(cudaDeviceAttr which) const {
    int value = 0;
    check(cudaDeviceGetAttribute(&value, which, device_.index), "cudaDeviceGetAttribute");
    return value;
  }

  std::string architecture() const {
    return "sm_" + std::to_string(attribute(cudaDevAttrComputeCapabilityMajor)) +
           std::to_string(attribute(cudaDevAttrComputeCapabilityMinor));
  }

  [[noreturn]] void refuse_memory(std::size_t bytes) const {
    cudaGetLastError();
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
    fail(ErrorCode::OutOfMemory, "cannot allocate ", bytes, " bytes on device '", info().name, "': ", free, " of ", total, " are free");
  }

  Device device_;
};

}  // namespace
}  // namespace cuda

std::unique_ptr<Backend> make_cuda_backend(int device) { return std::make_unique<cuda::CudaBackend>(device); }

}  // namespace eraserelu
