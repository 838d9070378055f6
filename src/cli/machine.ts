/** What the operating system tells of this machine: the CPU's instruction sets, a container's limits, an NVIDIA driver. */
import { readFileSync } from 'node:fs'
import { cpus, release } from 'node:os'

/** Instruction sets that matter to convolutions, as /proc/cpuinfo calls them. */
const interesting =
  /^(avx|avx2|fma|f16c|avx512f|avx512bw|avx512_vnni|avx_vnni|avx512_bf16|avx512_fp16|amx_tile|amx_int8|amx_bf16|amx_fp16)$/

export const cpuModel = (): string => cpus()[0]?.model ?? 'unknown'

/** Those of the first CPU; empty where /proc/cpuinfo cannot be read. */
export const instructionSets = (cpuinfo = read('/proc/cpuinfo')): string[] =>
  (/^flags\s*:(.*)$/m.exec(cpuinfo ?? '')?.[1] ?? '').split(/\s+/).filter(flag => interesting.test(flag))

/** 'linux x64, kernel 6.1.0, glibc 2.36' */
export function platform(): string {
  // Without it a report looks up the names of all connected hosts.
  const report = Object.assign(process.report, { excludeNetwork: true }).getReport()
  const { header } = report as unknown as { header: { glibcVersionRuntime?: string } }
  const libc = header.glibcVersionRuntime === undefined ? 'no glibc' : `glibc ${header.glibcVersionRuntime}`
  return `${process.platform} ${process.arch}, kernel ${release()}, ${libc}`
}

/** Processors that the container may use (a quota such as 1.5), by cgroup v2 or v1; undefined: no limit is visible. */
export function cpuQuota(readFile = read): number | undefined {
  const own = /^0::(\/.*)$/m.exec(readFile('/proc/self/cgroup') ?? '')?.[1] ?? '/'
  for (const folder of new Set([own, '/'])) {
    const [quota, period] = readFile(`/sys/fs/cgroup${folder}/cpu.max`.replaceAll(/\/+/g, '/'))?.trim().split(' ') ?? []
    if (quota !== undefined && quota !== 'max') return Number(quota) / Number(period)
  }
  const quota = Number(readFile('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') ?? -1)
  const period = Number(readFile('/sys/fs/cgroup/cpu/cpu.cfs_period_us') ?? 100_000)
  return quota > 0 ? quota / period : undefined
}

/** Bytes that the container may use; undefined: no limit is visible. */
export function memoryLimit(): number | undefined {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < 2 ** 53 ? limit : undefined
}

/** The version of the NVIDIA driver; undefined where none is loaded. */
export const nvidiaDriver = (version = read('/proc/driver/nvidia/version')): string | undefined =>
  version === undefined ? undefined : (/Module.*?\s(\d+\.\d+(?:\.\d+)?)\s/.exec(version)?.[1] ?? 'of unknown version')

/** The file's text; undefined where it cannot be read. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
