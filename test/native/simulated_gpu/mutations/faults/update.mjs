// Faults in the update section.
import { cases } from './tests.mjs'

const kernels = 'kernels/update.cu'

export const update = [
  {
    name: 'sgd-skipped-step-updates',
    about: 'weights move though a gradient was not finite',
    file: kernels,
    find: '  if (update.state[kStateFinite] == 0) return;\n  const UpdateRange range = range_of_block(update);\n  const SgdParams',
    replace: '  const UpdateRange range = range_of_block(update);\n  const SgdParams',
    tests: cases('sgdUpdate'),
  },
  {
    name: 'sgd-first-step-damped',
    about: 'the velocity of the very first step is not the gradient',
    file: kernels,
    find: 'update.state[kStateUpdates] == 1}',
    replace: 'update.state[kStateUpdates] == 0}',
    tests: cases('sgdUpdate'),
  },
  {
    name: 'update-wrong-group',
    about: "another group's learning rate",
    file: kernels,
    find: 'const SgdParams<float> params{update.state[kStateScale],\n                                update.step->learningRate[range.group],',
    replace:
      'const SgdParams<float> params{update.state[kStateScale],\n                                update.step->learningRate[0],',
    tests: cases('sgdUpdate'),
  },
  {
    name: 'adamw-betas-swapped',
    about: 'beta1 and beta2 swapped in the bias correction',
    file: kernels,
    find: 'threadIdx.x == 0 ? adamw.beta1 : adamw.beta2',
    replace: 'threadIdx.x == 0 ? adamw.beta2 : adamw.beta1',
    tests: cases('adamwUpdate'),
  },
  {
    name: 'adamw-missing-barrier',
    about: 'the corrections are read before they are written',
    file: kernels,
    find: 'adamw_correction(beta, update.state[kStateUpdates]));\n  }\n  __syncthreads();',
    replace: 'adamw_correction(beta, update.state[kStateUpdates]));\n  }',
    tests: cases('adamwUpdate'),
  },
  {
    name: 'norm-tail-lost',
    about: 'the gradient norm leaves out the last elements',
    file: kernels,
    find: 'smaller(elements, begin + normPiece)',
    replace: 'smaller(elements - 1, begin + normPiece)',
    tests: cases('gradNorm'),
  },
  {
    name: 'ema-decay-reversed',
    about: 'decay d for 1 - d in the average of the weights',
    file: 'update.cc',
    find: 'static_cast<float>(1.0 - desc.attributes.number("decay"))',
    replace: 'static_cast<float>(desc.attributes.number("decay"))',
    tests: cases('emaUpdate'),
  },
]
