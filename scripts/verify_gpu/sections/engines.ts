// Which of cuDNN's engines are taken for the layers of the networks, as proposed and as measured; what the backend says of an engine
// it leaves out is in the notes.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eraseReLU } from '../../../src/erase.js'
import { compile } from '../../../src/graph/session.js'
import { create } from '../../../src/models/index.js'
import { sgd } from '../../../src/optim/index.js'
import { Trainer } from '../../../src/train/trainer.js'
import { source } from '../../../test/train/training.js'
import type { Reporter } from '../reporter.js'

export async function engines(reporter: Reporter): Promise<void> {
  const { device, small } = reporter.settings
  // Nothing that was found at an earlier time may stand in for a look now.
  const cache = mkdtempSync(join(tmpdir(), 'eraserelu-engines-'))
  process.env.ERASERELU_CACHE = cache
  const networks = small
    ? [{ name: 'resnet20', batch: 2, size: 8 }]
    : [
        { name: 'resnet20', batch: 128, size: 32 },
        { name: 'resnet50', batch: 64, size: 224 },
      ]
  const precisions = small ? (['f32', 'bf16'] as const) : (['f32', 'tf32', 'bf16', 'f16'] as const)
  try {
    for (const { name, batch, size } of networks)
      for (const precision of precisions)
        for (const autotune of [false, true]) {
          const label = `${name}, ${precision}${autotune ? ', autotuned' : ''}`
          await reporter.case(`${label}: every layer has an engine`, async () => {
            const model = create(name)
            eraseReLU(model, { location: 'last', proportion: 1 })
            const inputs = { x: { shape: [batch, size, size, 3] } }
            const start = performance.now()
            using session = await compile(model, { inputs, device, precision, autotune })
            const seconds = ((performance.now() - start) / 1000).toFixed(1)
            for (const [operation, counts] of countEngines(session.engines))
              for (const [engine, layers] of counts) reporter.row({ network: label, operation, engine, layers, seconds })
          })
        }
    await reporter.case('a training step has engines for its gradients', async () => {
      const data = source(8, [8, 8, 3], { classes: 10 })
      const optimizer = sgd({ lr: 0.1 })
      await using trainer = new Trainer(create('resnet20'), { data, batchSize: 8, epochs: 1, device, optimizer, autotune: true })
      await trainer.memory()
    })
  } finally {
    rmSync(cache, { recursive: true, force: true })
  }
}

/** Layers by operation and engine. */
function countEngines(engines: readonly { readonly op: string; readonly engine: string }[]): Map<string, Map<string, number>> {
  const counts = new Map<string, Map<string, number>>()
  for (const { op, engine } of engines) {
    if (engine === '') throw new Error(`${op} has no engine`)
    const of = counts.get(op) ?? new Map<string, number>()
    counts.set(op, of.set(engine, (of.get(engine) ?? 0) + 1))
  }
  return counts
}
