// The sections of the verification, in the order in which they run.
import type { Reporter } from '../reporter.js'
import { benchmarks } from './benchmarks.js'
import { device } from './device.js'
import { engines } from './engines.js'
import { memory } from './memory.js'
import { goldenFiles, operationCases } from './suites.js'
import { training } from './training.js'

export interface Section {
  readonly title: string
  readonly run: (reporter: Reporter) => Promise<void>
}

export const sections = {
  device: { title: 'Device', run: device },
  operations: { title: 'Every operation against the reference in double precision', run: operationCases },
  golden: { title: 'Golden files of PyTorch', run: goldenFiles },
  engines: { title: 'Engines of cuDNN', run: engines },
  training: { title: 'Short trainings', run: training },
  memory: { title: 'Memory', run: memory },
  bench: { title: 'Training speed', run: benchmarks },
} as const satisfies Record<string, Section>

export type SectionName = keyof typeof sections
