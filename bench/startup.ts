// npm run bench -- startup: importing the built package, and making and compiling a ResNet-50 (224x224, batch 16), in fresh processes.
import { spawnSync } from 'node:child_process'
import { appendFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { InvalidArgument } from '../src/runtime/errors.js'
import { packageRoot } from '../src/runtime/package_root.js'
import { pairedRatios, spread } from './statistics.js'
import { table } from './table.js'

export interface StartupOptions {
  rounds: number
  beside?: string
  json?: string
}

const ways = ['require', 'infer', 'train'] as const
const titles = {
  import: "import 'eraserelu'",
  require: "require('eraserelu')",
  create: "models.create('resnet50')",
  infer: 'compile for inference',
  train: 'compile for training',
  together: 'import, create and compile for training',
}
type Step = keyof typeof titles

/** What a step took. */
interface Taken {
  readonly milliseconds: number
  /** Of all threads, user and system. */
  readonly processor: number
}
type Start = Partial<Record<Step, Taken>>

export async function measureStartup({ rounds, beside, json }: StartupOptions): Promise<void> {
  if (json !== undefined) await appendFile(json, '')
  const folders = [packageRoot(), ...(beside === undefined ? [] : [resolve(beside)])]
  const machine = { cpu: cpus()[0]?.model ?? 'unknown CPU', cores: cpus().length, node: process.version }
  console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`)
  const starts = folders.map(() => [] as Start[])
  for (let round = 0; round < rounds; round++) {
    console.error(`round ${round + 1} of ${rounds}`)
    const started: Start[] = folders.map(() => ({}))
    // Another one starts each round, so that none always comes first.
    const order = [...folders.entries()]
    if (round % 2 === 1) order.reverse()
    for (const way of ways) for (const [i, folder] of order) started[i] = { ...started[i], ...startOnce(folder, way) }
    for (const [i, start] of started.entries()) starts[i]!.push(start)
  }
  const rows = (Object.keys(titles) as Step[]).map(step => rowOf(step, starts))
  console.log(`\nStarting, median of ${rounds} processes each (lowest - highest)\n`)
  const head = ['', 'milliseconds', 'of CPU time', ...(beside === undefined ? [] : [`CPU time beside ${beside}`])]
  console.log(table(head, rows.map(cellsOf)))
  if (json === undefined) return
  const commandLine = ['npm run bench --', ...process.argv.slice(2)].join(' ')
  const report = { commandLine, date: new Date().toISOString(), ...machine, rounds, rows, starts }
  await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`)
}

function startOnce(folder: string, way: (typeof ways)[number]): Start {
  const program = join(packageRoot(), 'bench', 'start_once.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, folder, way], { encoding: 'utf8' })
  if (status === 0) return JSON.parse(stdout) as Start
  const said = stderr.split('\n').find(line => /Error\b/.test(line)) ?? `exit code ${status}`
  throw new InvalidArgument(`${folder} could not be started (is it built? 'npm run build' does it): ${said}`)
}

function rowOf(step: Step, [ours, theirs]: readonly (readonly Start[])[]) {
  const processor = (starts: readonly Start[]) => starts.map(start => start[step]!.processor)
  return {
    step,
    milliseconds: spread(ours!.map(start => start[step]!.milliseconds)),
    processor: spread(processor(ours!)),
    ratio: theirs && pairedRatios(processor(ours!), processor(theirs)),
  }
}

function cellsOf({ step, milliseconds, processor, ratio }: ReturnType<typeof rowOf>): string[] {
  const cell = ({ median, lowest, highest }: NonNullable<typeof ratio>, digits: number) =>
    `${median.toFixed(digits)} (${lowest.toFixed(digits)} - ${highest.toFixed(digits)})`
  return [titles[step], cell(milliseconds, 0), cell(processor, 0), ...(ratio ? [cell(ratio, 2)] : [])]
}
