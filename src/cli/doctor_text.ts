/** The diagnosis of `eraserelu doctor` as text. */
import type { Device, Diagnosis } from './doctor_run.js'
import { unicodeOut } from './table.js'

export function doctorText({ version, node, platform, addon, devices, cpu, openmp, memory, limits, notes }: Diagnosis): string {
  const [good, bad] = unicodeOut() ? ['✓', '✗'] : ['yes', 'no ']
  const mark = (works: boolean) => (works ? good : bad)
  const line = (name: string, text: string) => `  ${name.padEnd(16)} ${text}`
  const marked = (works: boolean, name: string, text: string) => line(`${mark(works)} ${name}`, text)
  const limited = [
    ...(limits.processors === undefined ? [] : [`${limits.processors} processors`]),
    ...(limits.memory === undefined ? [] : [gigabytes(limits.memory)]),
  ]
  return [
    `eraserelu ${version}`,
    line('Node.js', `${node.version}, Node-API ${node.nodeApi}`),
    line('platform', platform),
    marked(addon.loaded, 'addon', addon.file),
    ...(addon.reason === undefined ? [] : [line('', addon.reason)]),
    'Devices',
    ...devices.map(device => marked(device.works, device.name, deviceText(device))),
    'Machine',
    line('processor', `${cpu.model}, ${cpu.processors} for this process`),
    line('instructions', cpu.instructionSets.join(' ') || 'unknown: /proc/cpuinfo does not tell'),
    line('memory', `${gigabytes(memory.total)}, ${gigabytes(memory.free)} free`),
    line('container limits', limited.join(', ') || 'none visible'),
    'OpenMP',
    ...openmp.map(({ name, value = 'not set', meaning }) => line(name, `${value}: ${meaning}`)),
    'Notes',
    ...notes.map(note => `  ${note}`),
  ].join('\n')
}

const deviceText = (device: Device): string =>
  device.works ? `${device.library}, ${device.instructions}, threads: ${device.threads}` : device.reason

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`
