// The convolutions of a training step by themselves (forward, and both gradients): what they take when each operation is waited for.
import { planStep } from '../../../src/cli/random_training.js'
import { measureStep } from '../../../src/cli/measured_step.js'
import { create } from '../../../src/models/index.js'
import { deviceInfo } from '../../../src/runtime/devices.js'
import { readJob, report } from '../job.js'

const { model: name, batch: batchSize, size: imageSize, precision, steps } = readJob()
const model = create(name, name === 'resnet50' ? {} : { numClasses: 10 })
const step = planStep(model, { imageSize, batchSize, device: 'cpu', precision }, 'training')
// It runs every step twice, as in training and operation by operation: one step of each warms up.
const { nodes } = await measureStep(step, { steps, warmup: 1, precision })
const convolutions = nodes.filter((_, i) => step.desc.nodes[i]!.op.startsWith('conv2d'))
report({
  peer: 'its convolutions alone',
  threads: deviceInfo().threads,
  milliseconds: [convolutions.reduce((sum, { median }) => sum + median, 0)],
  parameters: model.parameterCount(),
})
