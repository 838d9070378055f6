// What compare.ts measured, as tables.
import type { Task } from './find_peers.js'
import type { Job } from './peers/job.js'
import type { Spread } from './statistics.js'
import { table } from './table.js'

export interface PeerResult {
  /** Library, version and form. */
  readonly peer: string
  /** Another measurement of this package. */
  readonly own: boolean
  readonly threads: number
  /** Of the rounds' medians. */
  readonly milliseconds: Spread
  readonly imagesPerSecond: number
  /** Of the rounds. */
  readonly peakBytes: number
  /** Its time over that of this package, round by round; not for the package itself. */
  readonly speed?: Spread
  /** Of its output to this package's, as a share of the largest value. */
  readonly difference?: number
  /** Milliseconds of every step, by round. */
  readonly samples: readonly (readonly number[])[]
}

/** What is measured together, and compared. */
export interface Workload extends Pick<Job, 'model' | 'batch' | 'size' | 'precision'> {
  /** As --rows calls it. */
  readonly row: string
  readonly task: Task
}

export interface WorkloadResult extends Workload {
  /** This package first. */
  readonly peers: readonly PeerResult[]
}

export const nameOf = ({ task, model, batch, size, precision }: Workload) =>
  `${task === 'train' ? 'training step' : 'inference'} of ${model}, batch ${batch}, ${size}x${size}${precision === 'f32' ? '' : `, ${precision}`}`
const ratio = ({ median, lowest, highest }: Spread) => `${median.toFixed(2)} (${lowest.toFixed(2)} - ${highest.toFixed(2)})`
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0)

/** The form of another library beside which this package does worst, by the median of the ratios. */
export function bestPeer({ peers }: WorkloadResult): PeerResult | undefined {
  const others = peers.filter(({ own, speed }) => !own && speed)
  return others.sort((a, b) => a.speed!.median - b.speed!.median)[0]
}

/** A row for everything that was measured of a workload. */
export function detailTable(result: WorkloadResult): string {
  const compares = result.task === 'infer'
  const head = [
    '',
    'threads',
    'ms (median of rounds)',
    'lowest - highest',
    'images/s',
    'peak MB',
    'speed of eraserelu relative to it',
  ]
  const rows = result.peers.map(({ peer, threads, milliseconds, imagesPerSecond, peakBytes, speed, difference }) => [
    peer,
    String(threads),
    milliseconds.median.toFixed(1),
    `${milliseconds.lowest.toFixed(1)} - ${milliseconds.highest.toFixed(1)}`,
    imagesPerSecond.toFixed(0),
    megabytes(peakBytes),
    speed ? ratio(speed) : '',
    ...(compares ? [speed && difference !== undefined ? difference.toExponential(0) : ''] : []),
  ])
  return `### ${nameOf(result)[0]!.toUpperCase()}${nameOf(result).slice(1)}\n\n${table(compares ? [...head, 'difference of outputs'] : head, rows)}`
}

/** A row a workload: this package beside the hardest of the others to beat. */
export function summaryTable(results: readonly WorkloadResult[]): string {
  const rows = results.map(result => {
    const [ours, ...others] = result.peers
    const best = bestPeer(result)
    const own = (name: string) => others.find(({ own, peer }) => own && peer.includes(name))
    const [erased, convolutions, low] = ['erased', 'convolutions', "memory: 'low'"].map(own)
    const memory = ({ peakBytes }: PeerResult) => (peakBytes / best!.peakBytes).toFixed(2)
    return [
      nameOf(result),
      ours!.milliseconds.median.toFixed(1),
      best ? `${best.milliseconds.median.toFixed(1)} (${best.peer})` : '',
      best?.speed ? ratio(best.speed) : '',
      best ? memory(ours!) + (low ? `; ${memory(low)} with memory: 'low'` : '') : '',
      erased?.speed ? ratio(erased.speed) : '',
      convolutions?.speed ? ratio(inverse(convolutions.speed)) : '',
    ]
  })
  const head = [
    '',
    'ms',
    'closest other, ms',
    'times as fast as it',
    'peak memory / its',
    'erased / published, time',
    'step / its convolutions, time',
  ]
  return table(head, rows)
}

/** Of ratios, the other way round. */
const inverse = ({ median, lowest, highest }: Spread): Spread => ({
  median: 1 / median,
  lowest: 1 / highest,
  highest: 1 / lowest,
})
