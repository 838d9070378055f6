/** What `eraserelu pack` and `unpack` do; loaded only when they run. */
import { SingleBar } from 'cli-progress'
import { pack, unpack } from '../data/index.js'
import { interruptible } from './interrupt.js'
import type { PackFlags } from './pack.js'

const { stdout, stderr } = process

export async function packImages(source: string, folder: string, flags: PackFlags): Promise<void> {
  const { shardSize, ...options } = flags
  await withBar(async (bar, signal) => {
    const result = await pack(source, folder, {
      ...options,
      shardBytes: shardSize * 2 ** 20,
      signal,
      onProgress: bar.to,
      onCorrupt: fault => bar.say(`passed over ${fault}`),
    })
    bar.end()
    const { images, shards, bytes, classes, passedOver } = result
    const missing = passedOver === 0 ? '' : `; ${passedOver} ${passedOver === 1 ? 'was' : 'were'} passed over`
    stdout.write(
      `${folder}: ${images} images in ${shards} shards, ${(bytes / 1e6).toFixed(1)} MB, ${classes} classes${missing}\n`,
    )
  })
}

export async function unpackImages(shards: string, folder: string): Promise<void> {
  await withBar(async (bar, signal) => {
    const { images } = await unpack(shards, folder, { signal, onProgress: bar.to })
    bar.end()
    stdout.write(`${folder}: ${images} images\n`)
  })
}

interface Bar {
  readonly to: (progress: { readonly images: number; readonly total: number }) => void
  readonly say: (line: string) => void
  readonly end: () => void
}

/** A bar on a terminal; where the error output is none, nothing but what is said. */
async function withBar(work: (bar: Bar, signal: AbortSignal) => Promise<void>): Promise<void> {
  const shown = stderr.isTTY
  const bar = new SingleBar({
    format: '{bar} {value}/{total} images, {rate} images/s',
    stream: stderr,
    barCompleteChar: '=',
    barIncompleteChar: '-',
    clearOnComplete: true,
    hideCursor: true,
  })
  const began = performance.now()
  let first: number | undefined
  let started = false
  const to: Bar['to'] = ({ images, total }) => {
    first ??= images
    const rate = ((1000 * (images - first)) / (performance.now() - began)).toFixed(0)
    if (!shown) return
    if (!started) bar.start(total, images, { rate })
    started = true
    bar.update(images, { rate })
  }
  const end = () => {
    if (started) bar.stop()
    started = false
  }
  const say = (line: string) => {
    end()
    stderr.write(`${line}\n`)
  }
  await interruptible(
    () => say('Stopping. What is complete is kept; Ctrl-C again quits at once.'),
    async signal => {
      try {
        await work({ to, say, end }, signal)
      } catch (error) {
        if (error !== signal.reason) throw error
      } finally {
        end()
      }
    },
  )
}
