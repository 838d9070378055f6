#include "onednn/onednn_backend.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "base/error.h"
#include "onednn/kernels.h"
#include "onednn/library.h"
#include "onednn/parallel.h"
#include "onednn/simd/loops.h"

namespace eraserelu {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

const std::map<std::string_view, cpu::Prepare>& kernels() {
  static const std::map<std::string_view, cpu::Prepare> table = {
      {"conv2d", cpu::conv2d},
      {"conv2dBwdData", cpu::conv2d_bwd_data},
      {"conv2dBwdFilter", cpu::conv2d_bwd_filter},
      {"biasBwd", cpu::bias_bwd},
      {"bnStats", cpu::bn_stats},
      {"bnApply", cpu::bn_apply},
      {"bnBwdReduce", cpu::bn_bwd_reduce},
      {"bnBwdApply", cpu::bn_bwd_apply},
      {"bnRunningUpdate", cpu::bn_running_update},
      {"batchNormInfer", cpu::batch_norm_infer},
      {"batchNormInferBwd", cpu::batch_norm_infer_bwd},
      {"maxPool", cpu::max_pool},
      {"maxPoolBwd", cpu::max_pool_bwd},
      {"avgPool", cpu::avg_pool},
      {"avgPoolBwd", cpu::avg_pool_bwd},
      {"globalAvgPool", cpu::global_avg_pool},
      {"globalAvgPoolBwd", cpu::global_avg_pool_bwd},
      {"shortcutA", cpu::shortcut_a},
      {"shortcutABwd", cpu::shortcut_a_bwd},
      {"relu", cpu::relu},
      {"reluBwd", cpu::relu_bwd},
      {"add", cpu::add},
      {"concat", cpu::concat},
      {"slice", cpu::slice},
      {"sliceBwd", cpu::slice_bwd},
      {"dropout", cpu::dropout},
      {"dropoutBwd", cpu::dropout},
      {"scaleSamples", cpu::scale_samples},
      {"pointwise", cpu::pointwise},
      {"reduce", cpu::reduce},
      {"cast", cpu::cast},
      {"fill", cpu::fill},
      {"sum", cpu::sum},
      {"softmaxCrossEntropy", cpu::softmax_cross_entropy},
      {"imageInput", cpu::image_input},
      {"gatherImages", cpu::image_input},
      {"gradNorm", cpu::grad_norm},
      {"sgdUpdate", cpu::sgd_update},
      {"adamwUpdate", cpu::adamw_update},
      {"emaUpdate", cpu::ema_update},
  };
  return table;
}

void refuse_16_bit(const OpDesc& desc) {
  for (const auto* tensors : {&desc.reads, &desc.writes})
    for (const TensorDesc& tensor : *tensors)
      if (tensor.present && (tensor.dtype == DType::bf16 || tensor.dtype == DType::f16))
        fail(ErrorCode::Unsupported, desc.to_string(), ": device 'cpu' computes in f32; use the f32 policy");
}

class OnednnBackend final : public Backend {
 public:
  DeviceInfo info() const override {
    const dnnl_version_t* version = dnnl::version();
    const std::string number =
        std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
    return {"cpu", "oneDNN " + number, loops().name, worker_threads()};
  }

  /// Large blocks are aligned to, and ask for, huge pages: an arena's tensors are swept from end to end.
  void* allocate(std::size_t bytes) override {
    const bool large = bytes >= 4 * kHugePage;
    void* memory = nullptr;
    if (posix_memalign(&memory, large ? kHugePage : 64, bytes ? bytes : 64) != 0)
      fail(ErrorCode::OutOfMemory, "cannot allocate ", bytes, " bytes on device 'cpu'");
    if (large) madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
  }
  void release(void* memory) noexcept override { std::free(memory); }
  void upload(void* device, const void* host, std::size_t bytes) override { std::memcpy(device, host, bytes); }
  void download(void* host, const void* device, std::size_t bytes) override { std::memcpy(host, device, bytes); }
  void fill(void* device, int byte, std::size_t bytes) override { std::memset(device, byte, bytes); }

  std::unique_ptr<Kernel> prepare(const OpDesc& desc, const Policy&) override {
    refuse_16_bit(desc);
    auto found = kernels().find(desc.spec->name);
    if (found == kernels().end()) fail(ErrorCode::Unsupported, desc.to_string(), ": device 'cpu' has no such operation");
    return found->second(desc);
  }
};

}  // namespace

std::unique_ptr<Backend> make_onednn_backend() { return std::make_unique<OnednnBackend>(); }

namespace cpu {

// Never destroyed: kernels may be released during process exit.
dnnl::engine& library_engine() {
  static dnnl::engine* engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

dnnl::stream& library_stream() {
  static dnnl::stream* stream = new dnnl::stream(library_engine());
  return *stream;
}

}  // namespace cpu
}  // namespace eraserelu
