// Asks the real cuDNN, without a GPU, which graph forms it supports on which device, and writes the support table of the simulated GPU.
//   npx tsx scripts/check_cudnn_forms.ts           rewrites test/native/simulated_gpu/support_table.txt
//   npx tsx scripts/check_cudnn_forms.ts --check   fails when a row differs
//   --libraries FOLDER                           where libcudnn.so.9, libcublasLt.so.13, libnvrtc.so.13 lie; else they are fetched (1.1 GB)
// The forms are those of test/native/simulated_gpu/check/forms.cc; the stand-in, which looks them up, names them.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, buildPrograms, cudnnVersion, fail, librariesFolder, simulated, stubDriver } from './cudnn_support/ask.js'

const table = join(simulated, 'support_table.txt')
const libraries = librariesFolder()
buildPrograms('ask', 'simulated_cudnn')
const driver = stubDriver(libraries)

const rows = new Map<string, { plans: number; form: string }>()
for (const device of readdirSync(join(simulated, 'devices'))) {
  const keys = ask(join(build, 'libcudnn.so.9'), device, 'keys')
  const plans = ask(join(libraries, 'libcudnn.so.9'), device, 'plans')
  keys.forEach(([form, key], i) => addRow(key, Number(plans[i]![1]), form))
}
const text =
  `# Engine configurations that cuDNN ${cudnnVersion()} supports for each graph form (simulated_gpu/cudnn/graph_key.h); 0: none.\n` +
  '# Written by scripts/check_cudnn_forms.ts.\n' +
  [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { plans }]) => `${plans} ${key}\n`)
    .join('')

if (!process.argv.includes('--check')) writeFileSync(table, text)
else if (readFileSync(table, 'utf8') !== text) {
  const old = new Set(readFileSync(table, 'utf8').split('\n'))
  fail(
    `cuDNN's answers differ from ${table}:\n${text
      .split('\n')
      .filter(row => !old.has(row))
      .join('\n')}`,
  )
}
console.log(`${rows.size} graph forms, ${[...rows.values()].filter(row => row.plans === 0).length} of them without an engine`)

/** One key stands for several shapes: the smallest number of plans counts, and all or none of the shapes must be supported. */
function addRow(key: string, plans: number, form: string): void {
  const known = rows.get(key)
  if (known !== undefined && (known.plans === 0) !== (plans === 0))
    fail(`the key '${key}' is too coarse: cuDNN supports ${known.form} by ${known.plans} plans and ${form} by ${plans}`)
  if (known === undefined || plans < known.plans) rows.set(key, { plans, form })
}

/** The lines "form, tab, answer" of the program `ask`. */
function ask(library: string, device: string, question: 'keys' | 'plans'): [string, string][] {
  const output = execFileSync(join(build, 'ask'), [library, join(simulated, 'devices', device), question], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { ...process.env, LD_LIBRARY_PATH: `${driver}:${question === 'plans' ? libraries : build}` },
  })
  return output
    .trimEnd()
    .split('\n')
    .map(line => line.split('\t') as [string, string])
}
