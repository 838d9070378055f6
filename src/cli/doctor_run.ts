/** What `eraserelu doctor` does; loaded only when it runs. It reports failures and never throws them. */
import { existsSync } from 'node:fs'
import { availableParallelism, freemem, totalmem } from 'node:os'
import { compile } from '../graph/session.js'
import { Conv2d } from '../nn/index.js'
import { addonFile, type DeviceInfo } from '../runtime/addon.js'
import { deviceInfo, deviceProblem, devices } from '../runtime/devices.js'
import { packageVersion } from '../runtime/package_root.js'
import { fasterPrecision } from '../train/faster_precision.js'
import { doctorText } from './doctor_text.js'
import { printResult, type JsonFlag } from './json.js'
import { cpuModel, cpuQuota, instructionSets, memoryLimit, nvidiaDriver, platform } from './machine.js'
import { openMpSettings, type OpenMpSetting } from './openmp.js'
import { cudaCrash } from './probe_cuda.js'

/** `reason`: why it does not work. */
export type Device = (DeviceInfo & { readonly works: true }) | Absent
interface Absent {
  readonly name: string
  readonly works: false
  readonly reason: string
}

export interface Diagnosis {
  readonly version: string
  readonly node: { readonly version: string; readonly nodeApi: number }
  readonly platform: string
  readonly addon: { readonly file: string; readonly loaded: boolean; readonly reason?: string }
  readonly devices: readonly Device[]
  readonly cpu: {
    readonly model: string
    readonly processors: number
    readonly instructionSets: readonly string[]
    /** Whether the device `cpu` computes in bf16; absent where that device does not work. */
    readonly bf16?: boolean
    /** The time of a training step on the CPU in bf16 over that in f32, measured once a machine; absent without bf16. */
    readonly bf16Ratio?: number
  }
  readonly openmp: readonly OpenMpSetting[]
  /** Bytes. */
  readonly memory: { readonly total: number; readonly free: number }
  /** Limits of the container that are visible here: processors, bytes. */
  readonly limits: { readonly processors?: number; readonly memory?: number }
  /** What could be better, and how. */
  readonly notes: readonly string[]
}

export async function doctor(flags: JsonFlag): Promise<void> {
  const given = { ...process.env }
  // Before the addon is loaded: with OMP_PROC_BIND OpenMP then binds this thread to one of them.
  const available = availableParallelism()
  const crash = existsSync(addonFile()) ? cudaCrash() : undefined
  const { names, reason } = loaded(crash === undefined ? devices : devicesWithoutCuda)
  const absent = names.includes('cuda') ? [] : [noCuda(reason === undefined, crash)]
  const found = [...(await Promise.all(names.map(check))), ...absent]
  const sets = instructionSets()
  const cpu = found.find(isWorkingCpu)
  const bf16 = cpu?.bf16 ? await measuredBf16() : undefined
  const [processors, memory] = [cpuQuota(), memoryLimit()]
  const diagnosis = {
    version: packageVersion(),
    node: { version: process.version, nodeApi: Number(process.versions.napi) },
    platform: platform(),
    addon: { file: addonFile(), loaded: reason === undefined, ...(reason !== undefined && { reason }) },
    devices: found,
    cpu: {
      model: cpuModel(),
      processors: available,
      instructionSets: sets,
      ...(cpu && { bf16: cpu.bf16 }),
      ...(bf16?.ratio !== undefined && { bf16Ratio: bf16.ratio }),
    },
    openmp: openMpSettings(given, process.env),
    memory: { total: totalmem(), free: freemem() },
    limits: { ...(processors !== undefined && { processors }), ...(memory !== undefined && { memory }) },
  }
  printResult<Diagnosis>({ ...diagnosis, notes: notesOn(diagnosis, bf16?.note) }, flags, doctorText)
  if (!found.some(({ works }) => works)) process.exitCode = 1
}

/** The devices that `list` finds in the addon, or why it could not be loaded. */
function loaded(list: () => string[]): { names: string[]; reason?: string } {
  try {
    return { names: list() }
  } catch (error) {
    const chosen =
      process.env.ERASERELU_ADDON === undefined ? '' : ' (ERASERELU_ADDON names this file: without it the package takes its own)'
    return { names: [], reason: `${(error as Error).message}${chosen}` }
  }
}

const isWorkingCpu = (device: Device): device is DeviceInfo & { works: true } => device.works && device.name === 'cpu'

/** How fast bf16 is, in words; measured the first time, which takes seconds. */
async function measuredBf16(): Promise<{ ratio?: number; note: string }> {
  try {
    const { precision, ratio, file } = await fasterPrecision()
    const use = precision === 'bf16' ? '--precision bf16' : 'f32, the default'
    const again = file === undefined ? '' : ` Measured once on this machine; to measure again, while it is idle, delete ${file}.`
    const note = `A training step of ResNet-20 on the CPU took ${ratio!.toFixed(2)} times as long in bf16 as in f32: use ${use}.${again}`
    return { ratio: ratio!, note }
  } catch (error) {
    return { note: `bf16 on the CPU could not be measured: ${(error as Error).message}` }
  }
}

/** Asks for no more than these, so that nothing looks for GPUs. */
const devicesWithoutCuda = () => ['cpu', 'reference'].filter(name => deviceProblem(name) === undefined)

/** Runs a small convolution on the device. */
async function check(name: string): Promise<Device> {
  try {
    using session = await compile(new Conv2d(3, 16, 3), { inputs: { x: { shape: [1, 8, 8, 3] } }, device: name })
    await session.run({ x: new Float32Array(8 * 8 * 3) })
    return { ...deviceInfo(name), works: true }
  } catch (error) {
    return { name, works: false, reason: (error as Error).message }
  }
}

/** `crash`: why the GPU backend must not be loaded here. */
function noCuda(addonLoaded: boolean, crash: string | undefined): Absent {
  const driver = nvidiaDriver()
  const card =
    driver === undefined ? 'no NVIDIA driver was found on this machine' : `this machine has the NVIDIA driver ${driver}`
  const problem = crash ?? (addonLoaded ? deviceProblem('cuda') : undefined)
  return { name: 'cuda', works: false, reason: `${problem ?? 'the addon is not loaded'} (${card})` }
}

function notesOn({ devices, cpu, limits }: Omit<Diagnosis, 'notes'>, bf16Note: string | undefined): string[] {
  const used = devices.find(isWorkingCpu)?.threads ?? 0
  const processors = limits.processors ?? cpu.processors
  const allowed = Math.max(1, Math.floor(processors))
  return [
    ...(used > allowed
      ? [
          `${used} threads share ${processors} ${processors === 1 ? 'processor' : 'processors'}, which is slower than fewer threads: set OMP_NUM_THREADS=${allowed}.`,
        ]
      : []),
    ...(bf16Note === undefined ? [] : [bf16Note]),
    ...(cpu.bf16 === false
      ? [
          'The CPU computes in f32 only: oneDNN finds no bf16 instructions (AVX512_BF16 or AMX) that it may use (ONEDNN_MAX_CPU_ISA limits them).',
        ]
      : []),
    ...(cpu.instructionSets.length > 0 && !cpu.instructionSets.includes('avx2')
      ? ['The processor has no AVX2: training is slow.']
      : []),
  ]
}
