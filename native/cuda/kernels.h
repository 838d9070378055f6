// Every kernel of the GPU backend: one function an operation (or a family) that prepares it for a device. prepare_kernel finds it
// by the operation's name. A kernel launches on the device's compute stream and returns at once; nothing in a launch allocates, looks up,
// or waits, so that it can be captured into a CUDA graph.
#pragma once

#include <memory>

#include "backend/backend.h"
#include "cuda/device.h"

namespace eraserelu::cuda {

/// Prepares the kernels below that choose nothing under a policy.
using Prepare = std::unique_ptr<Kernel> (*)(const OpDesc&, Device&);

/// The kernel of any operation. Throws Unsupported when there is none for it as described.
std::unique_ptr<Kernel> prepare_kernel(const OpDesc& desc, Device& device, const Policy& policy);

// convolution_*.cc: cuDNN
std::unique_ptr<Kernel> conv2d(const OpDesc& desc, Device& device, const Policy& policy);
std::unique_ptr<Kernel> conv2d_bwd_data(const OpDesc& desc, Device& device, const Policy& policy);
std::unique_ptr<Kernel> conv2d_bwd_filter(const OpDesc& desc, Device& device, const Policy& policy);

// batch_norm_*.cc
std::unique_ptr<Kernel> bias_bwd(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> bn_stats(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> bn_apply(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> bn_bwd_reduce(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> bn_bwd_apply(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> bn_running_update(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> batch_norm_infer(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> batch_norm_infer_bwd(const OpDesc& desc, Device& device);

// batch_norm_run.cc: under autotune, bnStats and bnApply or bnBwdReduce and bnBwdApply as one graph of cuDNN, where that is faster; or empty
std::vector<std::unique_ptr<Kernel>> batch_norm_run(const OpDesc& first, const OpDesc& second, Device& device, const Policy& policy);

// pooling.cc
std::unique_ptr<Kernel> max_pool(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> max_pool_bwd(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> avg_pool(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> avg_pool_bwd(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> global_avg_pool(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> global_avg_pool_bwd(const OpDesc& desc, Device& device);

// shape.cc
std::unique_ptr<Kernel> shortcut_a(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> shortcut_a_bwd(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> concat(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> slice(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> slice_bwd(const OpDesc& desc, Device& device);

// elementwise.cc, pointwise.cc, reduce.cc
std::unique_ptr<Kernel> relu(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> relu_bwd(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> add(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> dropout(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> scale_samples(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> cast(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> fill(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> sum(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> pointwise(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> reduce(const OpDesc& desc, Device& device);

// loss.cc, image.cc
std::unique_ptr<Kernel> softmax_cross_entropy(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> image_input(const OpDesc& desc, Device& device);

// update.cc
std::unique_ptr<Kernel> grad_norm(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> sgd_update(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> adamw_update(const OpDesc& desc, Device& device);
std::unique_ptr<Kernel> ema_update(const OpDesc& desc, Device& device);

}  // namespace eraserelu::cuda
