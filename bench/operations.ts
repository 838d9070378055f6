// npm run bench -- ops: the operations of a model's training step one by one, with the `benchmark` package, beside what the machine
// reaches in the same run. Each runs through the same path as a whole model: a compiled plan with one node, and nothing copied.
import Benchmark from 'benchmark'
import { appendFileSync, writeFileSync } from 'node:fs'
import { measurePeaks } from '../src/cli/peaks.js'
import { planStep } from '../src/cli/random_training.js'
import { cpuModel } from '../src/cli/machine.js'
import { eraseReLU } from '../src/erase.js'
import { costsOf, useOf } from '../src/graph/cost.js'
import { sizeOf } from '../src/graph/rules/rule.js'
import { elementsOf } from '../src/graph/tensor.js'
import * as models from '../src/models/index.js'
import { deviceInfo } from '../src/runtime/devices.js'
import { arrayClasses } from '../src/runtime/dtype.js'
import { Plan } from '../src/runtime/plan.js'
import type { NodeEntry, PlanDesc, TensorEntry } from '../src/runtime/plan_desc.js'
import { Store } from '../src/runtime/store.js'
import { drawRoofline, type RooflinePoint } from './roofline_chart.js'
import { median } from './statistics.js'
import { table } from './table.js'

export interface OperationOptions {
  readonly model: string
  readonly batchSize: number
  readonly seconds: number
  readonly svg?: string
  readonly json?: string
}

/** The largest use of one kind of operation. */
export interface Operation {
  readonly kind: string
  /** Only in the network whose last ReLUs are erased. */
  readonly erased: boolean
  readonly desc: PlanDesc
  readonly node: NodeEntry
  readonly bytes: number
  /** Of convolutions as docs/accounting.md counts it, else as docs/vocabulary.md writes it. */
  readonly arithmetic: number
}

interface Measured extends RooflinePoint {
  readonly shape: readonly number[]
  readonly milliseconds: number
  /** Relative margin of error, as `benchmark` tells it. */
  readonly margin: number
}

const device = 'cpu'
/** Kinds with less of a step's bytes are left out. */
const smallest = 0.01

export async function timeOperations({ model: name, batchSize, seconds, svg, json }: OperationOptions): Promise<void> {
  // Files that cannot be written are known now rather than after the measurement.
  for (const file of [svg, json]) if (file !== undefined) appendFileSync(file, '')
  const operations = operationsOf(models.create(name), batchSize)
  const peaks = await measurePeaks(device, 'f32')
  const measured: Measured[] = []
  for (const operation of operations) measured.push(await measure(operation, seconds))
  const { library, instructions, threads } = deviceInfo(device)
  const machine = `${library}, ${instructions}, threads: ${threads}; ${cpuModel()}`
  const title = `Operations of a training step of ${name}, batch ${batchSize}`
  const ofPeak = (share: number) => `${(100 * share).toFixed(0)} %`
  const rows = measured.map(({ kind, erased, shape, milliseconds, margin, bytes, arithmetic, seconds }) => [
    kind,
    erased ? 'erased' : '',
    shape.join('x'),
    milliseconds.toFixed(2),
    `± ${margin.toFixed(1)} %`,
    (bytes / seconds / 1e9).toFixed(1),
    ofPeak(bytes / seconds / peaks.bandwidth),
    (arithmetic / seconds / 1e9).toFixed(1),
    ofPeak(arithmetic / seconds / peaks.rate),
    ofPeak(Math.max(bytes / peaks.bandwidth, arithmetic / peaks.rate) / seconds),
  ])
  const heads = [
    'operation',
    'last ReLUs',
    'first operand',
    'ms',
    'margin',
    'GB/s',
    'of peak',
    'GFLOP/s',
    'of peak',
    'of roofline',
  ]
  console.log(`${title}: the largest of each kind, median\n\n${table(heads, rows)}\n`)
  console.log(
    `Peaks measured in this run: ${(peaks.bandwidth / 1e9).toFixed(1)} GB/s, ${(peaks.rate / 1e9).toFixed(1)} GFLOP/s. Above 100 %: the data was in a cache.`,
  )
  console.log(machine)
  if (svg !== undefined) writeFileSync(svg, await drawRoofline({ title, subtitle: machine, peaks, points: measured }))
  const commandLine = ['npm run bench --', ...process.argv.slice(2)].join(' ')
  if (json !== undefined)
    writeFileSync(
      json,
      `${JSON.stringify({ commandLine, model: name, batchSize, machine, peaks, operations: measured }, undefined, 2)}\n`,
    )
}

/** The largest of each kind, those of the network as published first. */
export function operationsOf(model: models.Classifier, batchSize: number): Operation[] {
  const found = new Map<string, Operation>()
  for (const erased of [false, true]) {
    eraseReLU(model, erased ? { allowLinear: true } : { proportion: 0 })
    const { desc } = planStep(model, { imageSize: model.imageSize, batchSize, device }, 'training')
    const costs = costsOf(desc).filter(({ node }) => node.section === 'gradient')
    const all = costs.reduce((sum, { bytes }) => sum + bytes, 0)
    const total = new Map<string, number>()
    for (const { node, bytes } of costs) total.set(kindOf(desc, node), (total.get(kindOf(desc, node)) ?? 0) + bytes)
    for (const { node, bytes, flops } of costs) {
      const kind = kindOf(desc, node)
      const before = found.get(kind)
      if (total.get(kind)! < smallest * all || (before && (before.erased !== erased || before.bytes >= bytes))) continue
      found.set(kind, { kind, erased, desc, node, bytes, arithmetic: flops > 0 ? flops : elementwise(desc, node) })
    }
  }
  return [...found.values()]
}

/** 'bnApply + residual + ReLU', 'conv2d 3x3' */
function kindOf(desc: PlanDesc, node: NodeEntry): string {
  const { reads, writes, attributes } = useOf(desc, node)
  const filter = reads.w ?? writes.dw
  const words = [
    filter ? `${node.op} ${filter.shape[1]}x${filter.shape[2]}` : node.op,
    ...(reads.residual ? ['residual'] : []),
    ...(reads.addend ? ['addend'] : []),
    ...(attributes.activation === 'relu' ? [reads.mask || writes.mask ? 'ReLU with mask' : 'ReLU'] : []),
  ]
  return words.join(' + ')
}

/** Additions, multiplications and comparisons of one element, in the formulas of docs/vocabulary.md. */
const perElement: Readonly<Record<string, number>> = { bnStats: 4, bnApply: 4, bnBwdReduce: 5, bnBwdApply: 6 }

function elementwise(desc: PlanDesc, node: NodeEntry): number {
  const use = useOf(desc, node)
  const more = (use.reads.residual ? 1 : 0) + (use.attributes.activation === 'relu' ? 1 : 0)
  const size = Math.max(...[...Object.keys(use.reads), ...Object.keys(use.writes)].map(operand => sizeOf(use, operand)))
  return size * ((perElement[node.op] ?? 1) + more)
}

/** A plan of this node alone: parameters in the store, other operands on the device before the first run, results left there. */
export function planAlone({ desc, node }: Operation): { desc: PlanDesc; weights: number } {
  let weights = 0
  const entries: TensorEntry[] = []
  const place = (tensor: number, read: boolean): number => {
    if (tensor < 0) return -1
    const { dtype, shape, parameter } = desc.tensors[tensor]!
    const nowhere = { of: -1, offset: 0, pitch: 0, arena: '', wholeStep: false, parameter: false }
    const base = { ...nowhere, name: `operand ${entries.length}`, dtype, shape }
    if (read && parameter) {
      entries.push({ ...base, place: 'store', arena: 'weights', offset: weights, parameter })
      // At a multiple of 64 bytes, as in the store of a model.
      weights += Math.ceil(elementsOf(shape) / 16) * 16
    } else entries.push({ ...base, place: read ? 'resident' : 'arena' })
    return entries.length - 1
  }
  const reads = node.reads.map(tensor => place(tensor, true))
  const writes = node.writes.map(tensor => place(tensor, false))
  return { desc: { ...desc, tensors: entries, nodes: [{ ...node, reads, writes }], regions: [], outputs: [] }, weights }
}

async function measure(operation: Operation, maxTime: number): Promise<Measured> {
  const { kind, erased, bytes, arithmetic, node } = operation
  const { desc, weights } = planAlone(operation)
  using store = await Store.create(device, { weights: Math.max(weights, 1) })
  await store.write(
    'weights',
    0,
    Float32Array.from({ length: Math.max(weights, 1) }, (_, i) => Math.sin(i)),
  )
  using plan = await Plan.create(desc, store)
  for (const { name, dtype, shape } of desc.tensors.filter(({ place }) => place === 'resident'))
    await plan.setResident(
      name,
      new arrayClasses[dtype](elementsOf(shape)).map((_, i) => 1 + Math.sin(i)),
    )
  const bench = new Benchmark(kind, {
    defer: true,
    maxTime,
    fn: (deferred: { resolve(): void }) => void plan.run([{}]).then(() => deferred.resolve()),
  })
  await new Promise(resolve => bench.on('complete', resolve).run({ async: true }))
  if (bench.error) throw bench.error
  const seconds = median(bench.stats.sample)
  const shape = operation.desc.tensors[node.reads[0]!]!.shape
  return { kind, erased, bytes, arithmetic, seconds, shape, milliseconds: seconds * 1000, margin: bench.stats.rme }
}
