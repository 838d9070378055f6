/**
 * Mixing of the images of a batch: mixup (Zhang et al. 2017, 1710.09412) and cutmix (Yun et al. 2019, 1905.04899). An image is mixed
 * with the one before it in its batch, the first with the last. Which way and how much is a function of (seed, epoch, place in the
 * epoch), so threads and resumption change nothing. The pixels are mixed on the device (src/train/mixed_feed.ts).
 */
import { InvalidArgument } from '../runtime/errors.js'
import { requireNumber } from '../runtime/options.js'
import { integerBelow, philoxBlock, streams } from '../runtime/philox.js'

/** How images are mixed; at least one is above 0 where they are. */
export interface Mix {
  /** Parameter α of the Beta(α, α) distribution from which an image's share in mixup is drawn; 0: no mixup. */
  readonly mixup: number
  /** The same for the area that an image keeps in cutmix; 0: no cutmix. Where both are above 0, each image takes one of them, with probability ½. */
  readonly cutmix: number
}

/** Of a batch of B images of H x W pixels. */
export interface MixedBatch {
  /** Share of the other image in a pixel, as a product: [B, H] for its row … */
  rows: Float32Array
  /** … times [B, W] for its column. */
  columns: Float32Array
  /** Of each image the label with the larger share, [B]. */
  labels: Int32Array
  /** The other label, [B]. */
  labels2: Int32Array
  /** Share of the first, ½ to 1, [B]. */
  lambda: Float32Array
}

/** Throws InvalidArgument that starts with `where` for what cannot be. */
export function checkMix(where: string, { mixup, cutmix }: Mix, batchSize: number): void {
  for (const [name, alpha] of Object.entries({ mixup, cutmix }))
    requireNumber(where, name, alpha, 'of at least 0', value => value >= 0 && value < Infinity)
  if (mixup + cutmix > 0 && batchSize < 2)
    throw new InvalidArgument(`${where}: mixup and cutmix need two images a batch, batchSize is ${batchSize}`)
}

/** How the images of a batch with these labels are mixed, of which the first is number `first` of its epoch. */
export function mixBatch(
  mix: Mix,
  labels: Int32Array,
  [height, width]: readonly [number, number],
  { seed, epoch, first }: { seed: number; epoch: number; first: number },
): MixedBatch {
  const n = labels.length
  const mixed: MixedBatch = {
    rows: new Float32Array(n * height),
    columns: new Float32Array(n * width),
    labels: new Int32Array(n),
    labels2: new Int32Array(n),
    lambda: new Float32Array(n),
  }
  for (let i = 0; i < n; ++i) {
    const random = new Words(seed, epoch, first + i)
    const rows = mixed.rows.subarray(i * height, (i + 1) * height)
    const columns = mixed.columns.subarray(i * width, (i + 1) * width)
    const takesMixup = random.fraction() < 0.5 ? mix.mixup > 0 : mix.cutmix === 0
    const own = Math.fround(takesMixup ? mixup(random, mix.mixup, rows, columns) : cutmix(random, mix.cutmix, rows, columns))
    const pair = [labels[i]!, labels[(i + n - 1) % n]!] as const
    const larger = own >= 0.5 ? 0 : 1
    mixed.labels[i] = pair[larger]
    mixed.labels2[i] = pair[1 - larger]!
    mixed.lambda[i] = larger === 0 ? own : 1 - own
  }
  return mixed
}

/** Every pixel in the same shares. Returns the image's own. */
function mixup(random: Words, alpha: number, rows: Float32Array, columns: Float32Array): number {
  const own = random.beta(alpha)
  rows.fill(1 - own)
  columns.fill(1)
  return own
}

/** A box of the other image, of share 1 − λ of the area where it does not stand over the edge, as torchvision's CutMix. Returns what the image keeps. */
function cutmix(random: Words, alpha: number, rows: Float32Array, columns: Float32Array): number {
  const half = 0.5 * Math.sqrt(1 - random.beta(alpha))
  let area = 1
  for (const line of [rows, columns]) {
    const [centre, reach] = [random.below(line.length), Math.floor(half * line.length)]
    const [begin, end] = [Math.max(0, centre - reach), Math.min(line.length, centre + reach)]
    line.fill(1, begin, end)
    area *= (end - begin) / line.length
  }
  return 1 - area
}

/** The random numbers of one image. */
class Words {
  private readonly words = new Uint32Array(4)
  private drawn = 0

  constructor(
    private readonly seed: number,
    private readonly epoch: number,
    private readonly place: number,
  ) {}

  private word(): number {
    if (this.drawn % 4 === 0) philoxBlock(this.seed, this.epoch, streams.mix, 1024 * this.place + this.drawn / 4, this.words)
    return this.words[this.drawn++ % 4]!
  }

  /** In (0, 1). */
  fraction(): number {
    return (this.word() + 0.5) / 2 ** 32
  }

  below(n: number): number {
    return integerBelow(this.word(), n)
  }

  /** Of Beta(α, α): x / (x + y) of two Gamma(α) numbers, whose logarithms are taken since a small α makes them tiny. */
  beta(alpha: number): number {
    const first = this.logGamma(alpha)
    return 1 / (1 + Math.exp(this.logGamma(alpha) - first))
  }

  /** The logarithm of a Gamma(shape) number (Marsaglia and Tsang 2000). */
  private logGamma(shape: number): number {
    if (shape < 1) return this.logGamma(shape + 1) + Math.log(this.fraction()) / shape
    const d = shape - 1 / 3
    for (;;) {
      const normal = Math.sqrt(-2 * Math.log(this.fraction())) * Math.cos(2 * Math.PI * this.fraction())
      const v = (1 + normal / Math.sqrt(9 * d)) ** 3
      if (v > 0 && Math.log(this.fraction()) < 0.5 * normal ** 2 + d - d * v + d * Math.log(v)) return Math.log(d * v)
    }
  }
}
