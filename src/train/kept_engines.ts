/**
 * `engines.json` of a run folder: the engines that a training with `autotune` took. They were chosen by their times, which differ from run to
 * run, and another engine may give other bytes: a training that is resumed takes the same.
 */
import { createHash } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { writeFileWhole } from '../runtime/durable_files.js'
import type { EngineChoices } from '../runtime/policy.js'

export const enginesName = 'engines.json'

const format = 1
const schema = z.object({ format: z.literal(format), sha256: z.string(), engines: z.record(z.string(), z.string()) })

export interface KeptEngines {
  readonly engines: EngineChoices
  /** What is wrong with the file, a sentence each. */
  readonly notes: readonly string[]
}

/** Of a run folder, or of the run that a checkpoint belongs to. Changes nothing. */
export async function readEngines(source: string): Promise<KeptEngines> {
  const real = await realpath(source).catch(() => source)
  const own = join(real, enginesName)
  for (const file of [own, join(dirname(dirname(real)), enginesName)]) {
    const text = await readFile(file, 'utf8').catch(() => undefined)
    if (text === undefined) continue
    const engines = enginesIn(text)
    return engines ? { engines, notes: [] } : { engines: {}, notes: [`${file} is damaged: engines are chosen anew`] }
  }
  return { engines: {}, notes: [`there is no ${own}: engines are chosen anew`] }
}

export async function writeEngines(folder: string, engines: EngineChoices): Promise<void> {
  const content = { format, sha256: digestOf(engines), engines } satisfies z.infer<typeof schema>
  await writeFileWhole(join(folder, enginesName), `${JSON.stringify(content, undefined, 2)}\n`)
}

/** Undefined where the text is not what was written. */
function enginesIn(text: string): EngineChoices | undefined {
  try {
    const { sha256, engines } = schema.parse(JSON.parse(text))
    return sha256 === digestOf(engines) ? engines : undefined
  } catch {
    return undefined
  }
}

const digestOf = (engines: EngineChoices) =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(engines).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
