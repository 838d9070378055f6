// PyTorch as the one to compare with: whether it is there, and its time for the same training step (torch_train.py).
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { spreadOf, type Spread } from '../../../src/cli/spread.js'
import type { Benchmark } from './benchmarks.js'

export interface Torch {
  readonly python: string
  readonly device: string
}

/** A Python with a PyTorch that reaches the GPU, or why there is none. */
export function findTorch(device: string): Torch | { readonly missing: string } {
  const python = process.env.ERASERELU_BENCH_PYTHON ?? 'python3'
  const test = 'import torch; assert torch.cuda.is_available(), "torch.cuda.is_available() is False"'
  const { status, stderr, error } = spawnSync(python, ['-c', test], { encoding: 'utf8' })
  if (status === 0) return { python, device }
  const reason = error?.message ?? stderr.trim().split('\n').at(-1) ?? ''
  return { missing: `not installed in ${python} (${reason}); the environment variable ERASERELU_BENCH_PYTHON names another` }
}

/** Milliseconds a step; rejects with what Python said. */
export async function timeTorch({ python, device }: Torch, benchmark: Benchmark, form: 'eager' | 'compile'): Promise<Spread> {
  const job = JSON.stringify({ ...benchmark, device, form, warmUp: form === 'compile' ? 15 : 10 })
  const script = join(import.meta.dirname, 'torch_train.py')
  const { stdout } = await promisify(execFile)(python, [script, job], { maxBuffer: 2 ** 26 })
  return spreadOf((JSON.parse(stdout.trim().split('\n').at(-1)!) as { milliseconds: number[] }).milliseconds)
}
