/**
 * Kills trainings with SIGKILL at random moments of their life, from the start of the process to its end, resumes them with
 * the same command, and compares what they leave with a training that was never interrupted.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fewImages } from '../../cli/few_images.js'
import { bytesOf } from '../run_folder.js'

export interface KillOptions {
  /** How the command line is run: a program and its first arguments. */
  command: readonly [string, ...string[]]
  kills: number
  seed: number
  /** Default 'cpu'. */
  device?: string
  /** Default: 96 training images in batches of 16, 32 test images, 3 epochs. */
  size?: { train: number; t10k: number; batchSize: number; epochs: number }
  progress?: (line: string) => void
}

export interface KillResult {
  kills: number
  /** Trainings that were killed until they ended, and compared. */
  trainings: number
  /** Trainings whose files had other bytes, with the names of those files. */
  differences: string[]
  /** Kills that left a half-written checkpoint behind. */
  whileWriting: number
  /** Kills before there was any checkpoint. */
  beforeFirst: number
  seconds: number
}

/** Every step a checkpoint, or now and then one: the first spends most of its time in writing. */
const checkpointSeconds = [0, 0.2]

const defaultSize = { train: 96, t10k: 32, batchSize: 16, epochs: 3 }

export async function killAndResume(options: KillOptions): Promise<KillResult> {
  const { command, kills, seed, device = 'cpu', size = defaultSize, progress } = options
  const start = performance.now()
  const random = uniform(seed)
  const root = await mkdtemp(join(tmpdir(), 'eraserelu-kill-'))
  const data = await fewImages(join(root, 'data'), { train: size.train, t10k: size.t10k })
  const words = (folder: string, every: number) => [
    ...['train', '--model', 'resnet20', '--dataset', 'fashion-mnist', '--data-path', data, '--device', device],
    ...['--epochs', String(size.epochs), '--batch-size', String(size.batchSize)],
    ...['--model-ema', '--erase', 'last', '--resume', '--output-dir', folder, '--checkpoint-seconds', String(every)],
  ]
  const whole = join(root, 'whole')
  const { milliseconds } = await train([...command, ...words(whole, 60)])
  const expected = await bytesOf(whole)

  const result: KillResult = { kills: 0, trainings: 0, differences: [], whileWriting: 0, beforeFirst: 0, seconds: 0 }
  while (result.kills < kills) {
    const folder = join(root, `killed-${result.trainings}`)
    const every = checkpointSeconds[result.trainings % checkpointSeconds.length]!
    for (;;) {
      const killAfter = result.kills < kills ? random() * milliseconds : undefined
      const { finished } = await train([...command, ...words(folder, every)], killAfter)
      if (finished) break
      result.kills++
      const left = await readdir(join(folder, 'checkpoints')).catch(() => [])
      if (left.some(name => name.startsWith('.'))) result.whileWriting++
      if (!left.some(name => name.startsWith('step-'))) result.beforeFirst++
    }
    result.trainings++
    const found = await bytesOf(folder)
    const names = [...new Set([...Object.keys(found), ...Object.keys(expected)])].filter(name => found[name] !== expected[name])
    if (names.length > 0) result.differences.push(`${folder}: ${names.join(', ')}`)
    else await rm(folder, { recursive: true })
    progress?.(`${result.kills} kills, ${result.trainings} trainings, ${result.differences.length} of them differ`)
  }
  if (result.differences.length === 0) await rm(root, { recursive: true })
  result.seconds = (performance.now() - start) / 1000
  return result
}

/** Runs to the end, or is killed; a training that fails by itself is an error. */
function train([program, ...words]: readonly [string, ...string[]] | string[], killAfter?: number) {
  const start = performance.now()
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] })
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text))
  return new Promise<{ finished: boolean; milliseconds: number }>((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0 || signal === 'SIGKILL') resolve({ finished: code === 0, milliseconds: performance.now() - start })
      else reject(new Error(`${words.join(' ')} ended with code ${code}, signal ${signal}: ${stderr}`))
    })
  })
}

/** Numbers in [0, 1): a linear congruential generator is random enough for moments. */
function uniform(seed: number): () => number {
  let state = seed >>> 0
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
}
