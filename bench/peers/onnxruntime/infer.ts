// Inferences of ResNet-50 with onnxruntime-node, on a file made here from the same weights.
import { createRequire } from 'node:module'
import { readSafetensors } from '../../../src/interop/safetensors.js'
import { images, readJob, report, time } from '../job.js'
import { channelsFirst, resnet50 } from './resnet50.js'

interface Tensor {
  readonly data: Float32Array
}
interface InferenceSession {
  readonly outputNames: readonly string[]
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>
}
/** What is used of the package, which `npm ci` does not install. */
interface Onnxruntime {
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<InferenceSession> }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => Tensor
  readonly env: { readonly versions: { readonly node?: string } }
}
const ort = createRequire(import.meta.url)('onnxruntime-node') as Onnxruntime

const job = readJob()
const { batch, size, threads } = job
const { tensors } = await readSafetensors(job.weights)
const session = await ort.InferenceSession.create(resnet50(tensors, batch, size), {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
})
const { shape, data } = channelsFirst({ shape: [batch, size, size, 3], data: images(job) })
const x = new ort.Tensor('float32', data, shape)
const { milliseconds, last } = await time(job, () => session.run({ x }))
const output = [...last[session.outputNames[0]!]!.data]
report({ peer: `onnxruntime-node ${ort.env.versions.node ?? ''}`, threads, milliseconds, output })
