/** Image files as batches of pixels: decoded, cropped, resized and mirrored by native threads of their own (native/input/). */
import {
  native,
  type BatchPlace,
  type NativeImageFiles,
  type NativeImageReader,
  type NativeReaderOptions,
  type NativeRecoded,
  type NativeView,
} from './addon.js'
import { fromNative, InvalidArgument } from './errors.js'

/** Where images lie in files; an element an image. */
export interface ImagePieces {
  /** Relative to the root. */
  readonly paths: readonly string[]
  /** Index in `paths`. */
  readonly files: Int32Array
  /** Bytes. */
  readonly offsets: Float64Array
  /** Bytes. */
  readonly lengths: Float64Array
  /** CRC-32C of the bytes; undefined: unknown. */
  readonly checksums?: Uint32Array
}

/** What `ImageFiles.recode` gives; an element an image. */
export type RecodedImages = NativeRecoded

/** What becomes of images. */
export interface RecodeRule {
  readonly format: 'keep' | 'jpeg' | 'raw'
  /** The shorter side is made so long where it is longer; undefined: as it is. */
  readonly size?: number | undefined
  /** Of JPEGs, 1 to 100; default 90. */
  readonly quality?: number | undefined
  readonly threads: number
}

/** A list of images with their classes, handed to native code once. */
export class ImageFiles {
  readonly handle: NativeImageFiles
  readonly size: number

  /** `names`: of the images. Without `pieces` each is a file, relative to `root`. */
  constructor(root: string, names: readonly string[], labels: Int32Array, pieces?: ImagePieces) {
    const joined = (texts: readonly string[]) => Buffer.from(texts.map(text => `${text}\0`).join(''))
    this.handle = native(({ NativeImageFiles: Files }) => {
      if (!pieces) return new Files(root, joined(names), labels)
      const { paths, ...places } = pieces
      return new Files(root, joined(paths), labels, { ...places, names: joined(names) })
    })
    this.size = names.length
  }

  /** Images decoded as a whole, so that damage is found, and encoded again as `rule` says: 'keep' gives the bytes as they are. */
  async recode(indices: Int32Array, rule: RecodeRule): Promise<RecodedImages> {
    const { format, size = 0, quality = 90, threads } = rule
    try {
      return await this.handle.recode(indices, { format, shorter: size, quality, threads })
    } catch (error) {
      throw fromNative(error)
    }
  }
}

/** How what is seen of an image is chosen; lengths in pixels. */
export type ImageView = NativeView

/** What is done to the pixels of a view, at random. */
export type ImageChanges = Pick<NativeReaderOptions, 'colour' | 'erasing'>

/** Nothing. */
export const noChanges: ImageChanges = {
  colour: { brightness: 0, contrast: 0, saturation: 0, lighting: 0 },
  erasing: { probability: 0, minScale: 0.02, maxScale: 0.33, minRatio: 0.3, maxRatio: 3.3, noise: false, colour: [0, 0, 0] },
}

/** Options of `ImageReader`. */
export interface ImageReaderOptions extends Omit<NativeReaderOptions, 'maxFaulty'> {
  /** Files that cannot be read and are passed over before one stops the reading. */
  readonly maxCorrupt: number
}

/** A batch that is complete. Places without an image are zero and have label −1. */
export interface ReadBatch extends BatchPlace {
  /** Images with a label. */
  readonly count: number
  /** What was passed over: the path of a file and what is wrong with it. */
  readonly faults: readonly string[]
}

/** Memory for `size` batches. */
export function imageRing(size: number, batchSize: number, { height, width }: Pick<ImageView, 'height' | 'width'>): BatchPlace[] {
  const place = () => ({ images: new Uint8Array(batchSize * height * width * 3), labels: new Int32Array(batchSize) })
  return Array.from({ length: size }, place)
}

/**
 * One pass over image files in the order given. The bytes of a batch depend on files, view, changes, seed, epoch, order and its
 * number alone. A batch stays in its place of the ring until as many more were taken as the ring has places beyond `ahead`.
 */
export class ImageReader {
  private readonly reader: NativeImageReader

  constructor(
    files: ImageFiles,
    private readonly options: ImageReaderOptions,
    private readonly ring: readonly BatchPlace[],
  ) {
    const { maxCorrupt, ...rest } = options
    const given = { ...rest, maxFaulty: maxCorrupt }
    this.reader = native(({ NativeImageReader: Reader }) => new Reader(files.handle, given, ring))
  }

  /** The next batch, one call at a time. Throws for a file that cannot be read, with its path, when `maxCorrupt` have been. */
  async next(): Promise<ReadBatch> {
    try {
      const { place, count, faults } = await this.reader.next()
      return { ...this.ring[place]!, count, faults }
    } catch (error) {
      throw withAdvice(fromNative(error), this.options.maxCorrupt)
    }
  }

  /** Stops the threads. Idempotent. */
  dispose(): void {
    this.reader.stop()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

function withAdvice(error: unknown, allowed: number): unknown {
  if (!(error instanceof InvalidArgument)) return error
  const before = allowed === 0 ? '' : `, and ${allowed} before it`
  return new InvalidArgument(`${error.message}${before} (more files are passed over with a higher maxCorrupt, --max-corrupt)`, {
    cause: error,
  })
}
