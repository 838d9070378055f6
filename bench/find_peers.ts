// Which libraries are here to compare with, and how to get those that are not.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Workload } from './comparison_tables.js'
import { peerProgram } from './peer_program.js'

export type Task = 'train' | 'infer'

export interface Peer {
  readonly name: string
  /** The command that measures a task, without the job. */
  readonly commands: Partial<Record<Task, readonly [command: string, ...args: string[]]>>
  /** Comes after the job. */
  readonly flags: readonly string[]
  /** Where it is not for every workload of its tasks. */
  readonly measures?: (workload: Workload) => boolean
  /** Another measurement of this package, that is none of the libraries to compare with. */
  readonly own?: true
}

const peersFolder = join(import.meta.dirname, 'peers')
const script = (...path: string[]) => join(peersFolder, ...path)
const node = (folder: string, name: string) => [process.execPath, peerProgram(folder, name)] as const

/** This package first, then what else is measured of it, then those that are found; `missing` says what is not, and what to do about it. */
export function findPeers(): { found: readonly Peer[]; missing: readonly string[] } {
  const found: Peer[] = [
    {
      name: 'eraserelu',
      commands: { train: node('eraserelu', 'train'), infer: node('eraserelu', 'infer') },
      flags: [],
    },
    { name: 'eraserelu erased', commands: { train: node('eraserelu', 'train') }, flags: ['--erased'], own: true },
    {
      name: 'eraserelu low',
      commands: { train: node('eraserelu', 'train') },
      flags: ['--low'],
      measures: ({ row }) => row === 'resnet50',
      own: true,
    },
    { name: 'convolutions alone', commands: { train: node('eraserelu', 'convolutions') }, flags: [], own: true },
  ]
  const missing: string[] = []

  const python = process.env.ERASERELU_BENCH_PYTHON ?? 'python3'
  const hasTorch = spawnSync(python, ['-c', 'import torch, safetensors'], { encoding: 'utf8' })
  if (hasTorch.status === 0) {
    const commands = { train: [python, script('pytorch', 'train.py')], infer: [python, script('pytorch', 'infer.py')] } as const
    found.push(
      { name: 'PyTorch', commands, flags: [] },
      { name: 'PyTorch NCHW', commands: { train: commands.train }, flags: ['--nchw'] },
      { name: 'PyTorch compiled', commands, flags: ['--compile'] },
    )
  } else {
    const reason = hasTorch.error?.message ?? hasTorch.stderr.trim().split('\n').at(-1) ?? ''
    missing.push(
      `PyTorch: not in ${python} (${reason}). In a virtual environment: pip install torch safetensors; ` +
        'then set ERASERELU_BENCH_PYTHON to its bin/python.',
    )
  }

  if (resolves('onnxruntime', 'onnxruntime-node')) {
    // Its CPU kernels of convolutions are f32.
    const measures = ({ precision }: Workload) => precision === 'f32'
    found.push({ name: 'onnxruntime-node', commands: { infer: node('onnxruntime', 'infer') }, flags: [], measures })
  } else missing.push('onnxruntime-node: not installed. Get it with: npm install --prefix bench/peers/onnxruntime')
  return { found, missing }
}

/** A library that reads images, and the command that measures it, without the job. */
export interface Reader {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

/** This package first, then those that are found, as findPeers. */
export function findReaders(): { found: readonly Reader[]; missing: readonly string[] } {
  const found: Reader[] = [{ name: 'eraserelu', command: node('eraserelu', 'read') }]
  const missing: string[] = []
  const python = process.env.ERASERELU_BENCH_PYTHON ?? 'python3'
  const has = spawnSync(python, ['-c', 'import torch, importlib.metadata as m; m.version("torchvision"); m.version("pillow")'])
  if (has.status === 0) found.push({ name: 'torchvision', command: [python, script('pytorch', 'read.py')] })
  else
    missing.push(
      `torchvision: not in ${python}. In a virtual environment: pip install torch torchvision; ` +
        'then set ERASERELU_BENCH_PYTHON to its bin/python.',
    )
  if (resolves('sharp', 'sharp')) found.push({ name: 'sharp', command: node('sharp', 'read') })
  else missing.push('sharp: not installed. Get it with: npm install --prefix bench/peers/sharp')
  return { found, missing }
}

/** Whether a package is installed in a folder of `peers`. */
function resolves(folder: string, name: string): boolean {
  try {
    createRequire(script(folder, 'package.json')).resolve(name)
    return true
  } catch {
    return false
  }
}
