/** What info, bench and doctor make of text from the system and the command line. */
import { InvalidArgumentError } from 'commander'
import { expect, it } from 'vitest'
import { cpuQuota, instructionSets, nvidiaDriver } from '../../src/cli/machine.js'
import { keyValue } from '../../src/cli/values.js'
import { openMpSettings } from '../../src/cli/openmp.js'
import { spreadOf } from '../../src/cli/spread.js'

it('reads the instruction sets', () => {
  const sets = instructionSets('processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_bf16 smap\n\nprocessor\t: 1\nflags\t\t: avx\n')
  expect(sets).toEqual(['avx2', 'avx512f', 'avx512_bf16'])
  expect(instructionSets('no flags here')).toEqual([])
})

it.each([
  ['cgroup v2', { '/proc/self/cgroup': '0::/app\n', '/sys/fs/cgroup/app/cpu.max': '150000 100000\n' }, 1.5],
  ['cgroup v2, the root', { '/proc/self/cgroup': '0::/app\n', '/sys/fs/cgroup/cpu.max': '200000 100000\n' }, 2],
  ['cgroup v2, no limit', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, undefined],
  ['cgroup v1', { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' }, 0.5],
  ['cgroup v1, no limit', { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n' }, undefined],
  ['nothing to read', {}, undefined],
])('finds the processors of a container: %s', (_, files: Readonly<Record<string, string>>, expected) => {
  expect(cpuQuota(file => files[file])).toBe(expected)
})

it('finds the NVIDIA driver', () => {
  const text = 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\nGCC version: 12.2.0\n'
  expect(nvidiaDriver(text)).toBe('580.65.06')
  expect(nvidiaDriver('something else')).toBe('of unknown version')
})

it('explains OpenMP settings', () => {
  const meaning = (given: NodeJS.ProcessEnv, now = given) =>
    Object.fromEntries(openMpSettings(given, now).map(setting => [setting.name, setting.meaning]))
  expect(meaning({}, { GOMP_SPINCOUNT: '1000' }).GOMP_SPINCOUNT).toContain('(set by this package)')
  expect(meaning({ GOMP_SPINCOUNT: '7' }).GOMP_SPINCOUNT).not.toContain('(set by this package)')
  for (const [value, threads] of [
    ['3', '3'],
    ['4,2', '4'],
  ] as const)
    expect(meaning({ OMP_NUM_THREADS: value }).OMP_NUM_THREADS).toBe(`threads of a step: ${threads}`)
  for (const value of ['', '0', 'many', '-1'])
    expect(meaning({ OMP_NUM_THREADS: value }).OMP_NUM_THREADS).toContain('not a number above 0, which OpenMP ignores')
  expect(meaning({ OMP_WAIT_POLICY: 'ACTIVE' }).OMP_WAIT_POLICY).toContain('takes time from everything else')
  expect(meaning({ OMP_WAIT_POLICY: 'lazy' }).OMP_WAIT_POLICY).toContain('not a value that OpenMP knows')
  expect(meaning({ OMP_PROC_BIND: 'close' }).OMP_PROC_BIND).toContain('stay on their processors')
  expect(meaning({ OMP_PROC_BIND: 'FALSE' }).OMP_PROC_BIND).toContain('may move threads')
})

it('describes a spread', () => {
  expect(spreadOf([3, 1, 2, 5, 4])).toEqual({ median: 3, min: 1, max: 5, p10: 1.4, p90: 4.6 })
  expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7, p10: 7, p90: 7 })
})

it('reads options of a network', () => {
  expect(keyValue('shortcut=B', keyValue('width=32'))).toEqual({ width: 32, shortcut: 'B' })
  expect(keyValue('flag=true')).toEqual({ flag: true })
  expect(() => keyValue('width')).toThrow(InvalidArgumentError)
})
