// Faults in how convolutions are described to cuDNN.
import { cases, checks, chunks } from './tests.mjs'

export const convolution = [
  {
    name: 'conv-padding-swapped',
    about: 'padding sides swapped: before and after',
    file: 'convolution_form.cc',
    find: '{pad[0], pad[2]}, {pad[1], pad[3]}',
    replace: '{pad[1], pad[3]}, {pad[0], pad[2]}',
    tests: cases('conv2d'),
  },
  {
    name: 'conv-dilation-for-stride',
    about: 'stride and dilation swapped',
    file: 'convolution_form.cc',
    find: 'desc.attributes.integers("stride"), desc.attributes.integers("dilation")',
    replace: 'desc.attributes.integers("dilation"), desc.attributes.integers("stride")',
    tests: cases('conv2d', 'conv2dBwdData', 'conv2dBwdFilter'),
  },
  {
    name: 'conv-stride-of-the-other-axis',
    about: 'strides in memory of the wrong axes: W for H',
    file: 'cudnn_graph.cc',
    find: '.set_stride({height * width * channels, 1, width * channels, channels})',
    replace: '.set_stride({height * width * channels, 1, channels, height * channels})',
    tests: cases('conv2d'),
  },
  {
    name: 'conv-uids-swapped',
    about: 'the unique ids of two tensors swapped',
    file: 'cudnn_graph.cc',
    find: 'tensor->set_uid(static_cast<std::int64_t>(tensors.size()))',
    replace: 'tensor->set_uid(static_cast<std::int64_t>(tensors.size() ^ 1))',
    tests: cases('conv2d', 'conv2dBwdFilter'),
  },
  {
    name: 'conv-relu-erased-always',
    about: 'the activation is left out where it is wanted',
    file: 'convolution_form.cc',
    find: 'if (fused && activation_ == Activation::relu) result',
    replace: 'if (fused && activation_ == Activation::relu && count < 0) result',
    tests: checks('conv2d'),
  },
  {
    name: 'conv-residual-of-first-chunk',
    about: 'every chunk is described with the batch of the whole',
    file: 'convolution_form.cc',
    find: 'part.shape[0] = count;',
    replace: 'part.shape[0] = batch_;',
    tests: chunks('conv2d'),
  },
  {
    name: 'conv-filter-chunks-not-added',
    about: 'the filter gradient of the last chunk only',
    file: 'chunk_sum.cc',
    find: ': accumulate(gradient_.dtype, part_, total_, n, stream)',
    replace: ': cast(gradient_.dtype, part_, DType::f32, total_, n, stream)',
    tests: chunks('conv2dBwdFilter'),
  },
]
