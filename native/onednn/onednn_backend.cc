#include "onednn/onednn_backend.h"

#include <sys/mman.h>

#include <algorithm>
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

constexpr int kBf16Isa = dnnl_cpu_isa_avx512_core_bf16;   // its bits are among those of AMX
constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// T is the type of activations.
template <typename T>
const std::map<std::string_view, cpu::Prepare>& kernels() {
  static const std::map<std::string_view, cpu::Prepare> table = {
      {"conv2d", cpu::conv2d<T>},
      {"conv2dBwdData", cpu::conv2d_bwd_data<T>},
      {"conv2dBwdFilter", cpu::conv2d_bwd_filter<T>},
      {"biasBwd", cpu::bias_bwd<T>},
      {"bnStats", cpu::bn_stats<T>},
      {"bnApply", cpu::bn_apply<T>},
      {"bnBwdReduce", cpu::bn_bwd_reduce<T>},
      {"bnBwdApply", cpu::bn_bwd_apply<T>},
      {"bnRunningUpdate", cpu::bn_running_update},
      {"batchNormInfer", cpu::batch_norm_infer<T>},
      {"batchNormInferBwd", cpu::batch_norm_infer_bwd<T>},
      {"maxPool", cpu::max_pool<T>},
      {"maxPoolBwd", cpu::max_pool_bwd<T>},
      {"avgPool", cpu::avg_pool<T>},
      {"avgPoolBwd", cpu::avg_pool_bwd<T>},
      {"globalAvgPool", cpu::global_avg_pool<T>},
      {"globalAvgPoolBwd", cpu::global_avg_pool_bwd<T>},
      {"shortcutA", cpu::shortcut_a<T>},
      {"shortcutABwd", cpu::shortcut_a_bwd<T>},
      {"relu", cpu::relu<T>},
      {"reluBwd", cpu::relu_bwd<T>},
      {"add", cpu::add<T>},
      {"concat", cpu::concat<T>},
      {"slice", cpu::slice<T>},
      {"sliceBwd", cpu::slice_bwd<T>},
      {"dropout", cpu::dropout<T>},
      {"dropoutBwd", cpu::dropout<T>},
      {"scaleSamples", cpu::scale_samples<T>},
      {"pointwise", cpu::pointwise<T>},
      {"reduce", cpu::reduce<T>},
      {"cast", cpu::cast},
      {"fill", cpu::fill<T>},
      {"sum", cpu::sum<T>},
      {"softmaxCrossEntropy", cpu::softmax_cross_entropy<T>},
      {"imageInput", cpu::image_input<T>},
      {"gatherImages", cpu::image_input<T>},
      {"gradNorm", cpu::grad_norm},
      {"sgdUpdate", cpu::sgd_update<T>},
      {"adamwUpdate", cpu::adamw_update<T>},
      {"emaUpdate", cpu::ema_update},
  };
  return table;
}

bool has(const OpDesc& desc, DType dtype) {
  const auto is = [=](const TensorDesc& tensor) { return tensor.present && tensor.dtype == dtype; };
  return std::any_of(desc.reads.begin(), desc.reads.end(), is) || std::any_of(desc.writes.begin(), desc.writes.end(), is);
}

/// Whether products of bf16 are instructions of this processor that oneDNN may use.
bool has_bf16_instructions() { return (static_cast<int>(dnnl::get_effective_cpu_isa()) & kBf16Isa) == kBf16Isa; }

void refuse_types(const OpDesc& desc) {
  if (has(desc, DType::f16))
    fail(ErrorCode::Unsupported, desc.to_string(), ": device 'cpu' does not compute in f16; use f32");
  if (has(desc, DType::bf16) && !has_bf16_instructions())
    fail(ErrorCode::Unsupported, desc.to_string(),
         ": bf16 on device 'cpu' needs AVX512_BF16 or AMX, which this processor lacks or ONEDNN_MAX_CPU_ISA forbids; use f32");
}

class OnednnBackend final : public Backend {
 public:
  DeviceInfo info() const override {
    const dnnl_version_t* version = dnnl::version();
    const std::string number =
        std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
    return {"cpu", "oneDNN " + number, best_loops().name, worker_threads(), has_bf16_instructions()};
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

  std::unique_ptr<Kernel> prepare(const OpDesc& desc, const Policy& policy) override {
    refuse_types(desc);
    const bool own = policy.ownConvolutions && !has(desc, DType::bf16);
    if (own) {
      if (auto kernel = cpu::winograd(desc)) return kernel;
      if (auto kernel = cpu::grouped_convolution(desc)) return kernel;
    }
    const auto& table = has(desc, DType::bf16) ? kernels<Bf16>() : kernels<float>();
    auto found = table.find(desc.spec->name);
    if (found == table.end()) fail(ErrorCode::Unsupported, desc.to_string(), ": device 'cpu' has no such operation");
    auto kernel = found->second(desc);
    if (own)
      if (auto instead = cpu::tapwise_filter_gradient(desc, kernel->requirements().engine)) return instead;
    return kernel;
  }

  std::vector<std::unique_ptr<Kernel>> prepare_run(const OpDesc& first, const OpDesc& second, const Policy&) override {
    if (!first.is("bnBwdApply") || first.write("dresidual").present || !second.is("add")) return {};
    refuse_types(first);
    return has(first, DType::bf16) ? cpu::bn_bwd_apply_add<Bf16>(first, second) : cpu::bn_bwd_apply_add<float>(first, second);
  }
};

}  // namespace

std::unique_ptr<Backend> make_onednn_backend() {
  best_loops();   // what is wrong with ERASERELU_CPU_ISA is thrown here, not among the threads of a kernel
  return std::make_unique<OnednnBackend>();
}

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
