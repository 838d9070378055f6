#include "cuda/convolution_graphs.h"

#include <algorithm>

#include "base/error.h"
#include "cuda/convolution_check.h"
#include "cuda/engine_choice.h"

namespace eraserelu::cuda {

namespace {
[[noreturn]] void refuse(const ConvolutionForm& form, const std::string& reason) {
  fail(ErrorCode::Unsupported, form.desc().to_string(), ": cuDNN: ", reason);
}
}  // namespace

ConvolutionGraphs::ConvolutionGraphs(const ConvolutionForm& form, const Device& device, const Policy& policy)
    : device_(device), fused_(form.fusible()) {
  std::string reason;
  try {
    build(form, policy);
    return;
  } catch (const CudnnRefusal& refusal) {
    if (!fused_) refuse(form, refusal.what());
    reason = refusal.what();
  }
  fused_ = false;
  try {
    build(form, policy);
  } catch (const CudnnRefusal& refusal) {
    refuse(form, "fused: " + reason + "; the convolution alone: " + refusal.what());
  }
}

void ConvolutionGraphs::build(const ConvolutionForm& form, const Policy& policy) {
  const DType io = form.desc().reads[0].dtype;
  graphs_.clear();
  for (const std::int64_t images : form.launches()) {
    CudnnGraph& graph = graphs_.try_emplace(images, io).first->second;
    form.describe(graph, images, fused_);
    ConvolutionEngineCheck check(form, images, fused_, device_);
    choose_engine(graph, check, device_, policy, requirements_);
  }
  std::size_t& scratchpad = requirements_.scratchpad;
  std::string& engine = requirements_.engine;
  for (const auto& [images, graph] : graphs_) {
    scratchpad = std::max(scratchpad, scratchpad_for(graph.workspace()));
    const std::string name = graph.engine();
    if (engine.find(name) == std::string::npos) engine += (engine.empty() ? "cudnn " : " + ") + name;
  }
}

void ConvolutionGraphs::bind(char* workspace) {
  workspaceAt_ = requirements_.scratchpad == 0 ? nullptr : workspace_in(workspace);
}

void ConvolutionGraphs::execute(std::int64_t images, std::vector<void*>& addresses) const {
  const auto graph = graphs_.find(images);
  eraserelu::check(graph != graphs_.end(), "a convolution was launched with ", images, " images, for which it was not prepared");
  graph->second.execute(device_, addresses, workspaceAt_);
}

}  // namespace eraserelu::cuda
