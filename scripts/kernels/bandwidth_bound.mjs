// Kernels whose time is that of their bytes, so that they must move 16 bytes an instruction wherever shapes and addresses allow it.
// `loads`, `stores`: how many large tensors each instantiation reads and writes in that way, at least.
// Instantiations for packs of one element (the last template argument is 1) and for pixels that do not end with a mask's byte
// (Channels<type, width, masked, whole> that is not whole) serve odd channel counts and addresses, and are left out.

/** By kernel. */
export const bandwidthBound = {
  unary: { loads: 1, stores: 1, why: 'relu, cast: flat activations' },
  binary: { loads: 2, stores: 1, why: 'add, reluBwd: flat activations' },
  fill_kernel: { loads: 0, stores: 1, why: 'fill: a flat tensor' },
  sum_kernel: { loads: 2, stores: 1, why: 'sums over microbatches: the flat gradient' },
  bn_stats_pieces_kernel: { loads: 1, stores: 0, why: 'batch norm, statistics: reads x once' },
  bn_apply_kernel: { loads: 2, stores: 1, why: 'batch norm, application: x and the residual to y' },
  bn_bwd_pieces_kernel: { loads: 2, stores: 0, why: 'batch norm, reductions of the gradient: reads dy and x' },
  bn_bwd_apply_kernel: { loads: 2, stores: 2, why: 'batch norm, gradient: dy and x to dx and the gradient of the residual' },
  channel_sums_kernel: { loads: 1, stores: 0, why: 'gradient of a bias: reads dy once' },
  dropout_kernel: { loads: 1, stores: 1, why: 'flat activations' },
  epilogue_kernel: { loads: 2, stores: 1, why: 'bias, residual and activation after a convolution that cuDNN does not fuse' },
  global_avg_pool_kernel: { loads: 1, stores: 0, why: 'reads an activation once' },
  global_avg_pool_bwd_kernel: { loads: 0, stores: 1, why: 'writes an activation once' },
  max_pool_kernel: { loads: 1, stores: 1, why: 'windows that overlap in the cache' },
  max_pool_bwd_kernel: { loads: 1, stores: 1, why: 'windows that overlap in the cache' },
  avg_pool_kernel: { loads: 1, stores: 1, why: 'windows that overlap in the cache' },
  avg_pool_bwd_kernel: { loads: 1, stores: 1, why: 'windows that overlap in the cache' },
  shortcut_kernel: { loads: 1, stores: 1, why: 'shortcut A: copies pixels' },
  shortcut_bwd_kernel: { loads: 1, stores: 1, why: 'shortcut A: copies pixels' },
  squares_kernel: { loads: 1, stores: 0, why: 'norm of the flat gradient' },
  sgd_kernel: { loads: 3, stores: 2, why: 'optimizer over the flat parameters: gradient, weights, velocity' },
  adamw_kernel: { loads: 4, stores: 3, why: 'optimizer over the flat parameters: gradient, weights, two averages' },
  ema_kernel: { loads: 2, stores: 1, why: 'moving average of the flat parameters' },
}

/** Whether this instantiation serves what does not come in packs of 16 bytes: width 1, or Channels that are not whole (channel_packs.h). */
export const isNarrow = kernel => /(^|, )1$|^Channels<\w+, (1, .*|\d+, \w+, false)>/.test(kernel.arguments)
