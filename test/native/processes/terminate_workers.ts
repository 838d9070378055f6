/** Terminates worker threads while many short runs end in them; what ends during the clean-up must not take the process along. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { compile } from '../../../src/index.js'
import { Plain } from '../../train/training.js'

const session = await compile(new Plain(), { inputs: { x: { shape: [1, 16, 16, 3] } } })
const x = new Float32Array(16 * 16 * 3)

async function runForever(): Promise<never> {
  for (;;) await session.run({ x })
}

if (isMainThread) {
  const workers = Array.from({ length: 4 }, () => new Worker(new URL(import.meta.url)))
  await Promise.all(workers.map(worker => new Promise(resolve => worker.once('message', resolve))))
  for (const worker of workers) await worker.terminate()
  await session.run({ x })
  console.log('still there')
} else {
  parentPort!.postMessage('running')
  await Promise.all(Array.from({ length: 20 }, runForever))
}
