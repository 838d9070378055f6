/** Loads the native addon, and is its typed picture. The only importer of the .node file. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { HostArray } from './dtype.js'
import { AddonNotFound, fromNative } from './errors.js'
import { packageRoot } from './package_root.js'
import type { PlanDesc } from './plan_desc.js'

export interface OperationRow {
  readonly name: string
  readonly reads: string
  readonly writes: string
  readonly attributes: string
  readonly batch: string
}

/** What is known of a device. */
export interface DeviceInfo {
  /** 'cpu' or 'reference' */
  readonly name: string
  /** Library and version: 'oneDNN 3.2.0' */
  readonly library: string
  /** The instruction set in use: 'avx512' */
  readonly instructions: string
  readonly threads: number
}

/** Planned memory in bytes, known before anything is allocated. */
export interface PlanMemory {
  /** Activations, gradients and scratchpads; shared by all plans of a device. */
  readonly arena: number
  /** The largest sum of bytes alive at once: no plan of the same steps can be smaller. */
  readonly livePeak: number
  readonly inputs: number
  readonly resident: number
  /** Private copies of the weights in the layouts that kernels want. */
  readonly packed: number
  /** The largest tensors alive at the peak, largest first. */
  readonly largest: readonly { readonly name: string; readonly bytes: number }[]
}

export interface NativeRunRequest {
  readonly microbatches: readonly (readonly HostArray[])[]
  readonly seed: bigint
  readonly step: number
  readonly learningRates: readonly number[]
  readonly profile: boolean
}

export interface NativeRunResult {
  readonly outputs: readonly HostArray[]
  readonly nodeSeconds: readonly number[]
}

export interface NativeStore {
  define(arena: string, elements: number): Promise<void>
  read(arena: string, offset: number, count: number): Promise<Float32Array>
  write(arena: string, offset: number, values: Float32Array): Promise<void>
  dispose(): void
}

export interface NativePlan {
  memory(): PlanMemory
  engines(): string[]
  setResident(index: number, data: HostArray): Promise<void>
  run(request: NativeRunRequest): { promise: Promise<NativeRunResult>; abort(): void }
  dispose(): void
}

export interface Addon {
  NativeStore: new (device: string) => NativeStore
  createPlan(desc: PlanDesc, store: NativeStore): Promise<NativePlan>
  vocabulary(): OperationRow[]
  devices(): string[]
  deviceInfo(device: string): DeviceInfo
  /** Aborts what this thread has running and waits for it; nothing can be run afterwards. */
  close(): void
}

let loaded: Addon | undefined

/** The addon, loaded at first use. `ERASERELU_ADDON` names another file (a sanitizer build, say). */
export function addon(): Addon {
  loaded ??= load()
  return loaded
}

function load(): Addon {
  const file = process.env.ERASERELU_ADDON ?? join(packageRoot(), 'build', 'Release', 'eraserelu.node')
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
