#include "cuda/kernels.h"

#include <map>
#include <string_view>

#include "base/error.h"

namespace eraserelu::cuda {
namespace {

/// Of an operation that cuDNN has several engines for.
using PrepareUnder = std::unique_ptr<Kernel> (*)(const OpDesc&, Device&, const Policy&);

const std::map<std::string_view, Prepare>& kernels() {
  static const std::map<std::string_view, Prepare> table = {
      {"biasBwd", bias_bwd},
      {"bnStats", bn_stats},
      {"bnApply", bn_apply},
      {"bnBwdReduce", bn_bwd_reduce},
      {"bnBwdApply", bn_bwd_apply},
      {"bnRunningUpdate", bn_running_update},
      {"batchNormInfer", batch_norm_infer},
      {"batchNormInferBwd", batch_norm_infer_bwd},
      {"maxPool", max_pool},
      {"maxPoolBwd", max_pool_bwd},
      {"avgPool", avg_pool},
      {"avgPoolBwd", avg_pool_bwd},
      {"globalAvgPool", global_avg_pool},
      {"globalAvgPoolBwd", global_avg_pool_bwd},
      {"shortcutA", shortcut_a},
      {"shortcutABwd", shortcut_a_bwd},
      {"relu", relu},
      {"reluBwd", relu_bwd},
      {"add", add},
      {"concat", concat},
      {"slice", slice},
      {"sliceBwd", slice_bwd},
      {"dropout", dropout},
      {"dropoutBwd", dropout},
      {"scaleSamples", scale_samples},
      {"pointwise", pointwise},
      {"reduce", reduce},
      {"cast", cast},
      {"fill", fill},
      {"sum", sum},
      {"softmaxCrossEntropy", softmax_cross_entropy},
      {"imageInput", image_input},
      {"gatherImages", image_input},
      {"gradNorm", grad_norm},
      {"sgdUpdate", sgd_update},
      {"adamwUpdate", adamw_update},
      {"emaUpdate", ema_update},
  };
  return table;
}

const std::map<std::string_view, PrepareUnder>& library_kernels() {
  static const std::map<std::string_view, PrepareUnder> table = {
      {"conv2d", conv2d},
      {"conv2dBwdData", conv2d_bwd_data},
      {"conv2dBwdFilter", conv2d_bwd_filter},
  };
  return table;
}

}  // namespace

std::unique_ptr<Kernel> prepare_kernel(const OpDesc& desc, Device& device, const Policy& policy) {
  const auto library = library_kernels().find(desc.spec->name);
  if (library != library_kernels().end()) return library->second(desc, device, policy);
  const auto found = kernels().find(desc.spec->name);
  if (found == kernels().end()) fail(ErrorCode::Unsupported, desc.to_string(), ": device 'cuda' has no such operation");
  return found->second(desc, device);
}

}  // namespace eraserelu::cuda
