// What the bench asks of a peer's process (JSON, the first argument) and what that prints: one line of JSON, its last.
import { readFileSync } from 'node:fs'

export interface Job {
  readonly model: string
  readonly batch: number
  /** Side of an image in pixels; images have 3 channels. */
  readonly size: number
  /** Of activations; PyTorch's bf16 is autocast. */
  readonly precision: 'f32' | 'bf16'
  readonly warmUp: number
  readonly steps: number
  readonly threads: number
  /** A safetensors file of this package, for inference. */
  readonly weights: string
}

export interface Timing {
  /** Library, version and form. */
  readonly peer: string
  readonly threads: number
  /** Of each step after the warm-up. */
  readonly milliseconds: readonly number[]
  /** The most memory that the process has held. */
  readonly peakBytes: number
  /** Trained numbers of the network, by which the bench sees that all train the same. */
  readonly parameters?: number
  /** The logits of an inference, by which the bench sees that all compute the same. */
  readonly output?: readonly number[]
}

export const readJob = (): Job => JSON.parse(process.argv[2] ?? '') as Job

/** Prints the timing, with the process's memory. */
export const report = (timing: Omit<Timing, 'peakBytes'>): void =>
  console.log(JSON.stringify({ ...timing, peakBytes: peakBytes() }))

/** VmHWM: getrusage's figure is that of the process which started this one, where it was larger. */
function peakBytes(): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024
}

/** The same floats for every peer, [batch, size, size, 3]. */
export function images({ batch, size }: Job): Float32Array {
  return new Float32Array(batch * size * size * 3).map((_, i) => Math.sin(i * 0.37))
}

/** Milliseconds of each run after the warm-up, and what the last returned. */
export async function time<T>({ warmUp, steps }: Job, run: () => Promise<T>): Promise<{ milliseconds: number[]; last: T }> {
  let last = await run()
  for (let i = 1; i < warmUp; i++) last = await run()
  const milliseconds: number[] = []
  for (let i = 0; i < steps; i++) {
    const start = performance.now()
    last = await run()
    milliseconds.push(performance.now() - start)
  }
  return { milliseconds, last }
}
