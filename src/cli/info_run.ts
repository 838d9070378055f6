/** What `eraserelu info` does; loaded only when it runs. */
import { compile } from '../graph/session.js'
import { summarize, type Classifier, type LayerSummary } from '../models/index.js'
import { moduleKinds, type ModuleChains, type ModuleKind } from '../models/module_kinds.js'
import { devices } from '../runtime/devices.js'
import { requireOneOf } from '../runtime/options.js'
import { drawModules } from './draw_module.js'
import type { InfoFlags } from './info.js'
import { printResult } from './json.js'
import { modelOf, reluCounts, relusOf, type ReluCounts } from './model_of.js'
import { randomTraining, type RandomImages } from './random_training.js'
import { renderTable, unicodeOut } from './table.js'

/** Planned bytes: the parts add up to `planned`. */
export interface MemoryParts {
  readonly planned: number
  /** Parameters and optimizer state. */
  readonly store: number
  /** Activations, gradients and scratchpads. */
  readonly arena: number
  readonly inputs: number
  /** Copies of the weights in the layouts that kernels want. */
  readonly packed: number
  /** The largest tensors alive where the arena is fullest. */
  readonly largest: readonly { readonly name: string; readonly bytes: number }[]
}

export interface Info {
  readonly model: string
  readonly options: Readonly<Record<string, unknown>>
  readonly imageSize: number
  /** Output shapes are those of one image. */
  readonly layers: readonly (LayerSummary & { readonly relu?: 'kept' | 'erased' })[]
  readonly parameters: number
  /** Multiply-accumulates for one image. */
  readonly macs: number
  readonly relus: ReluCounts
  /** The basic modules, which EraseReLU numbers from 0 in this order. */
  readonly modules: readonly ModuleChains[]
  readonly moduleKinds: readonly ModuleKind[]
  readonly task: 'training' | 'inference'
  readonly batchSize: number
  readonly device: string
  readonly plannedBytes: number
  readonly memory: MemoryParts
}

export async function info(name: string, flags: InfoFlags): Promise<void> {
  const { batchSize, device, infer = false } = flags
  requireOneOf('info', '--device', device, devices())
  const model = modelOf(name, flags)
  const { imageSize = model.imageSize } = flags
  const summary = summarize(model, [1, imageSize, imageSize, model.inChannels])
  const states = relusOf(model)
  const layers = summary.layers.map(layer => ({ ...layer, ...(states.has(layer.name) && { relu: states.get(layer.name)! }) }))
  const memory = await (infer ? inferenceMemory : trainingMemory)(model, { imageSize, batchSize, device })
  const { modules, kinds } = moduleKinds(model)
  const result: Info = {
    model: name,
    options: model.options,
    imageSize,
    layers,
    parameters: summary.parameters,
    macs: summary.macs,
    relus: reluCounts(model),
    modules,
    moduleKinds: kinds,
    task: infer ? 'inference' : 'training',
    batchSize,
    device,
    plannedBytes: memory.planned,
    memory,
  }
  printResult(result, flags, textOf)
}

async function trainingMemory(model: Classifier, images: RandomImages): Promise<MemoryParts> {
  await using trainer = randomTraining(model, images)
  const { planned, store, arena, inputs, packed, largest } = await trainer.memory()
  return { planned, store, arena, inputs, packed, largest }
}

async function inferenceMemory(model: Classifier, { imageSize, batchSize, device }: RandomImages): Promise<MemoryParts> {
  const shape = [batchSize, imageSize, imageSize, model.inChannels]
  using session = await compile(model, { inputs: { x: { shape } }, device })
  const { planned, parameters: store, arena, inputs, packed, largest } = session.memory
  return { planned, store, arena, inputs, packed, largest }
}

const largestShown = 5
const integer = new Intl.NumberFormat('en').format
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 10e6 ? 2 : 0)} MB`

function textOf(info: Info): string {
  const { model, options, imageSize, layers, parameters, macs, relus, moduleKinds, task, batchSize, device, memory } = info
  const unicode = unicodeOut()
  const table = renderTable(
    [
      ['layer', 'type', 'output', 'parameters', 'multiply-accumulates', 'ReLU'],
      ...layers.map(({ name, type, output, parameters, macs, relu = '' }) => [
        name,
        type,
        output.slice(1).join('x'),
        parameters === 0 ? '' : integer(parameters),
        macs === 0 ? '' : integer(macs),
        relu,
      ]),
    ],
    { unicode },
  )
  const { store, arena, inputs, packed, planned, largest } = memory
  const step = task === 'training' ? 'a training step (SGD with momentum)' : 'inference'
  const given = Object.entries(options).map(([key, value]) => `${key} ${String(value)}`)
  return [
    table,
    drawModules(moduleKinds, { unicode }) + `${model} (${given.join(', ')}), images of ${imageSize}x${imageSize}`,
    `Parameters:            ${integer(parameters)}`,
    `Multiply-accumulates:  ${integer(macs)} an image`,
    `ReLUs:                 ${relus.total}: ${relus.kept} kept, ${relus.erased} erased${relus.erased > 0 ? ' (in brackets above)' : ''}`,
    `Planned memory:        ${megabytes(planned)} for ${step} with batch size ${batchSize} on ${device}`,
    `  store ${megabytes(store)} (parameters${task === 'training' ? ', momentum' : ''}), arena ${megabytes(arena)} (activations, scratchpads), ` +
      `inputs ${megabytes(inputs)}, packed ${megabytes(packed)} (weights as kernels want them)`,
    '  largest when the arena is fullest: ' +
      largest
        .slice(0, largestShown)
        .map(({ name, bytes }) => `${name} ${megabytes(bytes)}`)
        .join(', '),
  ].join('\n')
}
