// What the GPU, its driver and the libraries are, and whether it works at all.
import { execFileSync } from 'node:child_process'
import { compile } from '../../../src/graph/session.js'
import { Conv2d, initialize } from '../../../src/nn/index.js'
import { deviceInfo, deviceProblem } from '../../../src/runtime/devices.js'
import type { Reporter } from '../reporter.js'

/** As the driver's program reports them; memory in MiB. */
const asked = ['name', 'driver_version', 'memory.total', 'memory.free', 'compute_cap', 'clocks.max.sm', 'power.limit'] as const

export async function device(reporter: Reporter): Promise<void> {
  const { device: name } = reporter.settings
  await reporter.case('the device works', async () => {
    const problem = deviceProblem(name)
    if (problem !== undefined) throw new Error(problem)
    const model = initialize(new Conv2d(3, 16, 3), 1)
    const inputs = { x: { shape: [1, 8, 8, 3] } }
    const x = Float32Array.from({ length: 8 * 8 * 3 }, (_, i) => (i % 7) - 3)
    using gpu = await compile(model, { inputs, device: name })
    using reference = await compile(model, { inputs, device: 'reference' })
    const [actual, expected] = await Promise.all([gpu.run({ x }), reference.run({ x })])
    const wrong = actual.output!.data.findIndex((value, i) => !(Math.abs(value - expected.output!.data[i]!) < 1e-4))
    if (wrong >= 0) throw new Error(`a convolution gives ${actual.output!.data[wrong]}, not ${expected.output!.data[wrong]}`)
    reporter.facts(factsOf(name))
  })
}

function factsOf(name: string): Record<string, unknown> {
  const libraries = loadedLibraries()
  const { library, instructions, threads } = deviceInfo(name)
  // A GPU is reached through the driver's library only: without it nothing has run on one.
  const simulated = !libraries.some(file => file.includes('libcuda.so'))
  return {
    device: simulated ? 'simulated' : name,
    simulated,
    library,
    architecture: instructions,
    multiprocessors: threads,
    ...(simulated ? {} : driverFacts(name)),
    libraries: libraries.filter(file => /cud|nvrtc|cublas|nvidia|dnnl/.test(file)).map(file => file.replace(/.*\//, '')),
  }
}

const loadedLibraries = (): string[] => (process.report.getReport() as unknown as { sharedObjects: string[] }).sharedObjects

function driverFacts(name: string): Record<string, string> {
  const index = name.split(':')[1] ?? '0'
  try {
    const args = [`--id=${index}`, `--query-gpu=${asked.join(',')}`, '--format=csv,noheader,nounits']
    const values = execFileSync('nvidia-smi', args, { encoding: 'utf8' }).trim().split(', ')
    return Object.fromEntries(asked.map((key, i) => [key, values[i] ?? '']))
  } catch (error) {
    return { driver: `nvidia-smi could not be asked: ${(error as Error).message.split('\n')[0]}` }
  }
}
