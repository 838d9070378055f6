// Every kernel of the CPU backend: one function an operation (or a family) that prepares it. onednn_backend.cc maps names
// to them. T is the type of the operands that share one (plan/op_checks_types.h): float or Bf16.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/bf16.h"

namespace eraserelu::cpu {

using Prepare = std::unique_ptr<Kernel> (*)(const OpDesc&);

/// Behind the definition of a kernel's function.
#define ERASERELU_TYPED_KERNEL(name)                          \
  template std::unique_ptr<Kernel> name<float>(const OpDesc&); \
  template std::unique_ptr<Kernel> name<Bf16>(const OpDesc&);

// convolution_*.cc
template <typename T>
std::unique_ptr<Kernel> conv2d(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> conv2d_bwd_data(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> conv2d_bwd_filter(const OpDesc& desc);

/// convolution_winograd.cc: of f32 operations; nullptr where the direct convolution is taken.
std::unique_ptr<Kernel> winograd(const OpDesc& desc);

/// convolution_grouped.cc: as winograd.
std::unique_ptr<Kernel> grouped_convolution(const OpDesc& desc);

/// convolution_tapwise.cc: instead of what oneDNN takes, by its name, for an f32 operation; nullptr where that is as good.
std::unique_ptr<Kernel> tapwise_filter_gradient(const OpDesc& desc, const std::string& libraryEngine);

// batch_norm_*.cc
template <typename T>
std::unique_ptr<Kernel> bias_bwd(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> bn_stats(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> bn_apply(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> bn_bwd_reduce(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> bn_bwd_apply(const OpDesc& desc);
/// bnBwdApply and the `add` behind it, whose `b` is the dx that nothing else reads.
template <typename T>
std::vector<std::unique_ptr<Kernel>> bn_bwd_apply_add(const OpDesc& apply, const OpDesc& add);
std::unique_ptr<Kernel> bn_running_update(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> batch_norm_infer(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> batch_norm_infer_bwd(const OpDesc& desc);

// pooling.cc
template <typename T>
std::unique_ptr<Kernel> max_pool(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> max_pool_bwd(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> avg_pool(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> avg_pool_bwd(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> global_avg_pool(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> global_avg_pool_bwd(const OpDesc& desc);

// shape.cc
template <typename T>
std::unique_ptr<Kernel> shortcut_a(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> shortcut_a_bwd(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> concat(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> slice(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> slice_bwd(const OpDesc& desc);

// elementwise.cc, pointwise.cc, reduce.cc
template <typename T>
std::unique_ptr<Kernel> relu(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> relu_bwd(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> add(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> dropout(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> scale_samples(const OpDesc& desc);
std::unique_ptr<Kernel> cast(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> fill(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> sum(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> pointwise(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> reduce(const OpDesc& desc);

// loss.cc, image.cc
template <typename T>
std::unique_ptr<Kernel> softmax_cross_entropy(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> image_input(const OpDesc& desc);

// update.cc
std::unique_ptr<Kernel> grad_norm(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> sgd_update(const OpDesc& desc);
template <typename T>
std::unique_ptr<Kernel> adamw_update(const OpDesc& desc);
std::unique_ptr<Kernel> ema_update(const OpDesc& desc);

}  // namespace eraserelu::cpu
