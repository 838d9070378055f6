/** Loads the native addon, and is its typed picture. The only importer of the .node file. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { HostArray } from './dtype.js'
import { AddonNotFound, fromNative } from './errors.js'
import { packageRoot } from './package_root.js'
import type { PlanDesc } from './plan_desc.js'
import type { EngineChoices } from './policy.js'

export interface OperationRow {
  readonly name: string
  readonly reads: string
  readonly writes: string
  readonly attributes: string
  readonly batch: string
  /** See src/graph/typed_operands.ts. */
  readonly typed: string
  /** See src/graph/pitched_operands.ts. */
  readonly pitched: string
  readonly pitchedOnCpu: string
}

/** What is known of a device. */
export interface DeviceInfo {
  /** 'cpu', 'reference', 'cuda' (the first GPU), 'cuda:1' … */
  readonly name: string
  /** Libraries and versions: 'oneDNN 3.2.0', 'cuDNN 9.28.1, CUDA 13.0' */
  readonly library: string
  /** The instruction set in use, or a GPU's architecture: 'avx512', 'sm_90' */
  readonly instructions: string
  /** That compute, as OpenMP was told when the addon was loaded; of a GPU its multiprocessors. */
  readonly threads: number
  /** Whether it computes in bf16: the CPU only where it has instructions for it (AVX512_BF16 or AMX). */
  readonly bf16: boolean
}

/** A tensor by the layer that makes it, and its size. */
export interface TensorBytes {
  /** 'layer1.0.conv1' */
  readonly name: string
  /** Its size. */
  readonly bytes: number
}

/** Planned memory in bytes, known before anything is allocated. */
export interface PlanMemory {
  /** Activations, gradients and scratchpads; shared by all plans of a device. */
  readonly arena: number
  /** The largest sum of bytes alive at once: no plan of the same steps can be smaller. */
  readonly livePeak: number
  /** Arrays that every run copies in; on a GPU those of the next run too. */
  readonly inputs: number
  /** Arrays that stay on the device: a data set. */
  readonly resident: number
  /** Private copies of the weights in the layouts that kernels want. */
  readonly packed: number
  /** The largest tensors alive at the peak, largest first. */
  readonly largest: readonly TensorBytes[]
}

export interface NativeRunRequest {
  /** The inputs of each microbatch, or the number under which they were staged. */
  readonly microbatches: readonly (readonly HostArray[] | number)[]
  readonly seed: bigint
  readonly step: number
  readonly learningRates: readonly number[]
  readonly profile: boolean
  /** How often, one after the other. */
  readonly times: number
}

export interface NativeRunResult {
  readonly outputs: readonly HostArray[]
  readonly nodeSeconds: readonly number[]
}

export interface NativeStore {
  define(arena: string, elements: number): Promise<void>
  /** The arrays of read and write are not copied: they are the runner's until the promise settles. */
  read(arena: string, offset: number, into: Float32Array): Promise<void>
  write(arena: string, offset: number, values: Float32Array): Promise<void>
  dispose(): void
}

export interface NativePlan {
  memory(): PlanMemory
  engines(): string[]
  notes(): string[]
  choices(): EngineChoices
  setResident(index: number, data: HostArray): Promise<void>
  /** `id`: from 1 on, larger with every call. The arrays are read, not copied, until a run has taken them. */
  stage(id: number, data: readonly HostArray[]): void
  run(request: NativeRunRequest): { promise: Promise<NativeRunResult>; abort(): void }
  dispose(): void
}

/** A list of image files; freed with the object. */
export interface NativeImageFiles {
  /** Runs on the runner of device cpu, with threads of its own. `shorter` 0: no image is resized. */
  recode(
    indices: Int32Array,
    rule: { format: 'keep' | 'jpeg' | 'raw'; shorter: number; quality: number; threads: number },
  ): Promise<NativeRecoded>
}

/** See Recoded in native/input/recode.h; an element an image. */
export interface NativeRecoded {
  /** One after the other; nothing of an image with a fault. */
  readonly bytes: Uint8Array
  readonly lengths: Float64Array
  readonly checksums: Uint32Array
  /** Of what was read; 0 with a fault. */
  readonly heights: Int32Array
  readonly widths: Int32Array
  /** By place in `indices`: where the image is and what is wrong with it. */
  readonly faults: Readonly<Record<number, string>>
}

/** Where images lie in files; an element an image. */
export interface NativePieces {
  /** Index of the file. */
  readonly files: Int32Array
  readonly offsets: Float64Array
  readonly lengths: Float64Array
  /** CRC-32C; undefined: unknown. */
  readonly checksums?: Uint32Array | undefined
  /** For messages, each followed by a zero byte. */
  readonly names: Uint8Array
}

/** How what is seen of an image is chosen; see native/input/view.h. */
export interface NativeView {
  readonly height: number
  readonly width: number
  readonly random: boolean
  readonly minScale: number
  readonly maxScale: number
  readonly minRatio: number
  readonly maxRatio: number
  readonly flip: boolean
  readonly resize: number
}

/** How colours are changed; see native/input/colour.h. */
export interface NativeColour {
  readonly brightness: number
  readonly contrast: number
  readonly saturation: number
  readonly lighting: number
}

/** How a rectangle is erased; see native/input/erase_rectangle.h. */
export interface NativeErasing {
  readonly probability: number
  readonly minScale: number
  readonly maxScale: number
  readonly minRatio: number
  readonly maxRatio: number
  readonly noise: boolean
  /** Of the rectangle, where it is not noise: three bytes. */
  readonly colour: readonly number[]
}

/** See ReaderOptions in native/input/image_reader.h. */
export interface NativeReaderOptions {
  readonly view: NativeView
  readonly colour: NativeColour
  readonly erasing: NativeErasing
  readonly seed: number
  readonly epoch: number
  readonly order: Int32Array
  readonly batchSize: number
  readonly firstBatch: number
  readonly ahead: number
  readonly threads: number
  readonly maxFaulty: number
}

/** Where a batch goes: [B, height, width, 3] and [B]. */
export interface BatchPlace {
  readonly images: Uint8Array
  readonly labels: Int32Array
}

export interface NativeImageReader {
  /** One at a time. */
  next(): Promise<{ place: number; count: number; faults: string[] }>
  /** Ends the decoding, also within an image; a promise that is open is rejected. */
  stop(): void
}

/** Told while a plan is prepared: how many of its operations are ready, of how many. */
export type PrepareProgress = (prepared: number, total: number) => void

export interface Addon {
  NativeStore: new (device: string) => NativeStore
  createPlan(desc: PlanDesc, store: NativeStore, progress?: PrepareProgress): Promise<NativePlan>
  /** `files`: relative to `root`, each followed by a zero byte; an image each without `pieces`. */
  NativeImageFiles: new (root: string, files: Uint8Array, labels: Int32Array, pieces?: NativePieces) => NativeImageFiles
  NativeImageReader: new (files: NativeImageFiles, options: NativeReaderOptions, ring: readonly BatchPlace[]) => NativeImageReader
  vocabulary(): OperationRow[]
  /** Those that work here. */
  devices(): string[]
  /** Why a device does not work here; '' when it does. */
  deviceProblem(device: string): string
  deviceInfo(device: string): DeviceInfo
  /** Aborts what this thread has running and waits for it; nothing can be run afterwards. */
  close(): void
}

let loaded: Addon | undefined

/** The addon, loaded at first use. */
export function addon(): Addon {
  loaded ??= load()
  return loaded
}

/** The file that holds the addon, whether it exists or not. */
export const addonFile = (): string => process.env.ERASERELU_ADDON || join(packageRoot(), 'build', 'Release', 'eraserelu.node')

let digest: string | undefined

/** Tells builds of the addon apart: the start of the file's SHA-256, in hexadecimal, when it was first asked for. */
export const addonDigest = (): string =>
  (digest ??= createHash('sha256').update(readFileSync(addonFile())).digest('hex').slice(0, 16))

function load(): Addon {
  const file = addonFile()
  if (!existsSync(file)) {
    throw new AddonNotFound(
      `the native addon is not built: ${file} does not exist. In a clone run 'npm run build:native' (it needs g++, CMake, Python 3 with pip). ` +
        `Prebuilt for: linux x64 (glibc); this is ${process.platform} ${process.arch}.`,
    )
  }
  // GNU OpenMP's threads wait for the next parallel region by spinning, which on a machine with few cores starves Node's
  // event loop; not spinning at all costs a wake-up each time. A few microseconds serve both. It is read when OpenMP is
  // loaded, so it is set first; a choice of the user's own wins. In a worker thread, whose process.env is a copy, it has no
  // effect when the addon is first loaded there: load it in the main thread first.
  if (process.env.OMP_WAIT_POLICY === undefined) process.env.GOMP_SPINCOUNT ??= '1000'
  try {
    const exported = createRequire(file)(file) as Addon
    // process.exit() does not clean up native addons, and what still ran would outlive the libraries that it uses.
    process.once('exit', () => exported.close())
    return exported
  } catch (error) {
    throw new AddonNotFound(`the native addon could not be loaded from ${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** Calls into the addon with its errors turned into this package's classes. */
export function native<T>(call: (addon: Addon) => T): T {
  try {
    return call(addon())
  } catch (error) {
    throw fromNative(error)
  }
}
