/**
 * `npm run check:cudnn`: asks the real cuDNN, without a GPU, by the GPU backend's own code, what runs every operation of every registered model
 * (training and inference, erased and not, in f32, bf16 and f16) on sm_80, sm_90 and sm_100.
 *   npm run check:cudnn              rewrites test/native/simulated_gpu/models_table.txt and support_table.txt (check_cudnn_forms.ts)
 *   npm run check:cudnn -- --check   fails when a table differs, and shows the rows
 *   --models A,B                     asks about these models only and prints their table
 *   --libraries FOLDER               where libcudnn.so.9, libcublasLt.so.13, libnvrtc.so.13 lie; else they are fetched (1.1 GB)
 * Fails in any case when an operation ends without an engine, or when the simulated cuDNN makes the backend take another way.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, buildPrograms, cudnnVersion, fail, librariesFolder, root, simulated, stubDriver } from './cudnn_support/ask.js'
import { askBackend } from './cudnn_support/ask_backend.js'
import { operationsOf } from './cudnn_support/operations.js'
import { plansOfModels, plansOfTests } from './cudnn_support/plans_of_models.js'
import { isMissing, tableText, type Answer, type Answers, type UsedOperations } from './cudnn_support/table.js'

// While it is asked about forms, the models are planned.
const forms = spawn('npx', ['tsx', join(root, 'scripts/check_cudnn_forms.ts'), ...process.argv.slice(2)], { stdio: 'inherit' })
const formsEnd = new Promise<number | null>(resolve => forms.on('close', resolve))
const table = join(simulated, 'models_table.txt')
const only = process.argv.indexOf('--models')
const models = only < 0 ? undefined : process.argv[only + 1]?.split(',')
const used: UsedOperations[] = []
for (const plan of plansOfModels(models)) {
  const { model, use, erased } = plan
  used.push({ model, use, erased, operations: operationsOf(plan) })
}
const tested = models ? [] : [...plansOfTests()].flatMap(operationsOf)
const questions = [...new Set([...used.flatMap(({ operations }) => operations), ...tested].map(({ line }) => line))]

if ((await formsEnd) !== 0) process.exit(1)
const libraries = librariesFolder()
buildPrograms('ask_backend', 'simulated_cudnn', 'cudart')
const driver = stubDriver(libraries)
const byDevice = new Map<number, ReadonlyMap<string, Answer>>()
const disagreements: string[] = []
await Promise.all(
  readdirSync(join(simulated, 'devices')).map(async name => {
    const file = join(simulated, 'devices', name)
    const sm = (JSON.parse(readFileSync(file, 'utf8')) as { deviceVer: number }).deviceVer / 10
    const real = await askBackend({ libraries, driver }, file, questions)
    const standIn = { libraries: build, driver, env: { SIM_CUDNN_TABLE: join(simulated, 'support_table.txt') } }
    const pretended = await askBackend(standIn, file, questions)
    byDevice.set(sm, real)
    for (const line of questions) {
      const [truth, pretence] = [real.get(line)!.engine, pretended.get(line)!.engine]
      if (truth !== pretence) disagreements.push(`sm_${sm}: '${truth}', simulated '${pretence}'\n  ${readable(line)}`)
    }
  }),
)
const answers: Answers = {
  architectures: [...byDevice.keys()].sort((a, b) => a - b),
  of: ({ line }, architecture) => byDevice.get(architecture)!.get(line)!,
}

const missing = [...byDevice].flatMap(([sm, known]) =>
  [...known].filter(([, answer]) => isMissing(answer)).map(([line, { engine }]) => `sm_${sm}: ${engine}\n  ${readable(line)}`),
)
if (missing.length > 0) fail(`Operations without an engine:\n${missing.join('\n')}`)
if (disagreements.length > 0)
  fail(`The simulated cuDNN and the real one differ; are all forms in check/forms.cc?\n${disagreements.join('\n')}`)
const text = tableText(cudnnVersion(), used, answers)
if (models) console.log(text)
else if (!process.argv.includes('--check')) writeFileSync(table, text)
else compare(existsSync(table) ? readFileSync(table, 'utf8') : '', text)
console.log(`${questions.length} operations on ${byDevice.size} GPUs: each has an engine`)

function readable(line: string): string {
  return line.replaceAll('\t', ' ')
}

function compare(old: string, now: string): void {
  if (old === now) return
  const [before, after] = [old, now].map(rows => new Set(rows.split('\n')))
  const gone = [...before!].filter(row => !after!.has(row)).map(row => `- ${row}`)
  const come = [...after!].filter(row => !before!.has(row)).map(row => `+ ${row}`)
  fail(
    `cuDNN's answers differ from ${table}; if that is right, run npm run check:cudnn and commit it:\n${[...gone, ...come].join('\n')}`,
  )
}
