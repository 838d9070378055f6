// Batch norm by one graph of cuDNN, under autotune and where it is faster than our two kernels: the kernel of the second operation runs the graph, that of
// the first nothing.
#include <memory>

#include "cuda/batch_norm_check.h"
#include "cuda/engine_choice.h"
#include "cuda/kernels.h"
#include "cuda/kernels/batch_norm_forward.h"

namespace eraserelu::cuda {

namespace {

/// What the two kernels have in common.
struct Run {
  explicit Run(BatchNormForm described) : form(std::move(described)), graph(form.x().dtype), addresses(form.operands().size()) {}

  BatchNormForm form;
  CudnnGraph graph;
  std::vector<void*> addresses;
  float *invstd = nullptr, *variance = nullptr;   // forward
};

class RunKernel final : public Kernel {
 public:
  RunKernel(std::shared_ptr<Run> run, bool first, Requirements requirements, const Device& device)
      : run_(std::move(run)),
        desc_(first ? run_->form.first() : run_->form.second()),
        first_(first),
        requirements_(std::move(requirements)),
        device_(device) {}

  Requirements requirements() const override { return requirements_; }

  void bind(const Bindings& bindings) override {
    const Operands at(desc_, bindings);
    const std::vector<BatchNormForm::Operand>& operands = run_->form.operands();
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const BatchNormForm::Operand& each = operands[i];
      if (each.ofFirst == first_) run_->addresses[i] = each.written ? at.write<void>(each.name) : const_cast<void*>(at.read<void>(each.name));
    }
    if (requirements_.scratchpad > 0) workspace_ = workspace_in(at.scratchpad());
    if (!first_ || !run_->form.forward()) return;
    run_->invstd = at.write("invstd");
    run_->variance = at.write("variance");
  }

  void launch(std::int64_t, std::int64_t) override {
    if (first_) return;
    const BatchNormForm& form = run_->form;
    run_->graph.execute(device_, run_->addresses, workspace_);
    if (!form.forward()) return;
    const cudaError_t status = bn_variance(run_->invstd, form.epsilon(), run_->variance, form.x().shape.back(), device_.stream);
    if (status != cudaSuccess) check(status, desc_.to_string());
  }

 private:
  std::shared_ptr<Run> run_;
  const OpDesc desc_;
  const bool first_;
  const Requirements requirements_;
  const Device& device_;
  void* workspace_ = nullptr;
};

/// One of our own kernels, with what was found out about cuDNN's.
class OwnKernelWithNews final : public Kernel {
 public:
  OwnKernelWithNews(std::unique_ptr<Kernel> kernel, Requirements news) : kernel_(std::move(kernel)), news_(std::move(news)) {}

  Requirements requirements() const override {
    Requirements requirements = kernel_->requirements();
    requirements.notes = news_.notes;
    requirements.choices = news_.choices;
    return requirements;
  }
  void bind(const Bindings& bindings) override { kernel_->bind(bindings); }
  void launch(std::int64_t first, std::int64_t count) override { kernel_->launch(first, count); }

 private:
  std::unique_ptr<Kernel> kernel_;
  const Requirements news_;
};

}  // namespace

std::vector<std::unique_ptr<Kernel>> batch_norm_run(const OpDesc& first, const OpDesc& second, Device& device, const Policy& policy) {
  std::vector<std::unique_ptr<Kernel>> kernels;
  if (!policy.autotune || !BatchNormForm::fits(first, second)) return kernels;
  const auto run = std::make_shared<Run>(BatchNormForm(first, second));
  run->form.describe(run->graph);
  Requirements news;
  bool taken = false;
  try {
    BatchNormCheck check(run->form, device);
    Policy exact = policy;
    exact.tf32 = false;   // which is about convolutions
    taken = choose_engine(run->graph, check, device, exact, news);
  } catch (const CudnnRefusal&) {   // it has no engine at all: there was nothing to choose
    return kernels;
  }
  if (!taken) {
    kernels.push_back(std::make_unique<OwnKernelWithNews>(prepare_kernel(first, device, policy), news));
    kernels.push_back(prepare_kernel(second, device, policy));
    return kernels;
  }
  news.engine = "cudnn " + run->graph.engine();
  kernels.push_back(std::make_unique<RunKernel>(run, true, news, device));
  Requirements needs;
  needs.engine = news.engine;
  needs.scratchpad = scratchpad_for(run->graph.workspace());
  needs.inRun = true;
  kernels.push_back(std::make_unique<RunKernel>(run, false, needs, device));
  return kernels;
}

}  // namespace eraserelu::cuda
