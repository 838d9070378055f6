/**
 * `launches.ts MODEL JSON`: two training steps of the model on device `cuda`, the second one captured, and what the launch table says of
 * them. The images are small: launches do not depend on their size.
 */
import { planStep } from '../../../src/cli/random_training.js'
import { eraseReLU } from '../../../src/erase.js'
import { launchesOf } from '../../../src/graph/cuda_launches.js'
import type { Precision } from '../../../src/graph/precision.js'
import { create } from '../../../src/models/index.js'
import { sgd } from '../../../src/optim/index.js'
import { Plan } from '../../../src/runtime/plan.js'
import { Store } from '../../../src/runtime/store.js'
import { StoreLayout } from '../../../src/runtime/store_layout.js'
import { arenasFor } from '../../../src/train/training_plan.js'

const [name = '', options = '{}'] = process.argv.slice(2)
const { erase, imageSize, precision, ...kwargs } = JSON.parse(options) as {
  erase?: 'last'
  imageSize: number
  precision: Precision
}
const model = create(name, { numClasses: 10, ...kwargs })
if (erase) eraseReLU(model, { location: erase })
const { desc } = planStep(model, { imageSize, batchSize: 2, device: 'cuda', precision }, 'training')

using store = await Store.create(
  'cuda',
  arenasFor(new StoreLayout(model.parameters()), sgd({ lr: 0.1, momentum: 0.9 }), undefined),
)
using plan = await Plan.create(desc, store)
const images = Uint8Array.from({ length: 2 * imageSize * imageSize * 3 }, (_, i) => (i * 7) % 255)
const batch = { images, offsets: new Int32Array(4), flips: new Uint8Array(2), labels: Int32Array.of(0, 1) }
for (let step = 0; step < 2; step++) await plan.run([batch], { seed: 0, step, learningRates: [0.1] })
console.log(JSON.stringify({ launches: desc.nodes.reduce((sum, node) => sum + launchesOf(desc, node), 0) }))
