// npm run test:mutations: makes one small fault after the other in a copy of the GPU backend and shows that the simulated suite sees it.
//   --only NAME[,NAME]   these faults;  --list   names them
// What was found is kept in build/mutations/results.json, and is not done again while neither fault nor sources have changed.
// Ends with `N passed, N failed`: a fault that was caught has passed. record.mjs writes the table.
import { mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs'
import { digestOf } from '../../../../scripts/stale_results.mjs'
import { Copy } from './copy.mjs'
import { faults, idOf, tested } from './faults/index.mjs'
import { runTests } from './run_tests.mjs'

const folder = 'build/mutations'
const file = `${folder}/results.json`
const chosen = choose(process.argv.slice(2))

mkdirSync(folder, { recursive: true })
const digest = digestOf(tested)
const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
const results = known.digest === digest ? known : { digest, control: {}, faults: {} }
const copy = new Copy(folder)
let passed = 0
let failed = 0

for (const fault of faults) copy.check(fault)
console.log('Building the copy without a fault')
copy.build()
// Without a fault every test must pass: else the failures below would mean nothing.
for (const fault of chosen) {
  for (const tests of fault.tests) {
    const key = `${tests.file} -t ${tests.pattern}`
    if (results.control[key]) continue
    const { failures, passed: good } = runTests(tests, copy.buildFolder, '0')
    if (failures.length > 0 || good === 0) {
      console.error(`Without a fault '${key}' ${good === 0 ? 'has no test' : `fails: ${failures[0]}`}`)
      process.exit(1)
    }
    results.control[key] = good
    save()
  }
}

for (const fault of chosen) {
  const id = idOf(fault)
  let result = results.faults[fault.name]
  if (result?.id !== id) {
    result = { id, ...attempt(fault) }
    results.faults[fault.name] = result
    save()
  }
  if (result.caught) passed++
  else failed++
  console.log(`${result.caught ? 'caught  ' : 'SURVIVED'} ${fault.name} (${result.seconds} s): ${result.by}`)
}
copy.restore()
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

/** Makes the fault, builds, and runs its tests in up to three orders of threads and streams until one fails. */
function attempt(fault) {
  const start = Date.now()
  const seconds = () => Math.round((Date.now() - start) / 1000)
  copy.apply(fault)
  try {
    copy.build()
  } catch (error) {
    return {
      caught: false,
      seconds: seconds(),
      by: `it does not compile: ${/error: .*/.exec(error.message)?.[0] ?? error.message}`,
    }
  }
  for (const order of ['0', '1', '7'])
    for (const tests of fault.tests) {
      const { failures } = runTests(tests, copy.buildFolder, order)
      if (failures.length > 0) return { caught: true, seconds: seconds(), by: failures[0], order }
    }
  return { caught: false, seconds: seconds(), by: `no test of ${fault.tests.map(tests => tests.pattern).join(', ')} failed` }
}

function save() {
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
}

function choose(args) {
  const names = faults.map(({ name }) => name)
  if (args[0] === '--list') {
    for (const { name, about } of faults) console.log(`${name}: ${about}`)
    process.exit(0)
  }
  if (args.length === 0) return faults
  const wanted = args[0] === '--only' ? (args[1] ?? '').split(',') : []
  const unknown = wanted.find(name => !names.includes(name))
  if (wanted.length === 0 || args.length !== 2 || unknown !== undefined) {
    console.error(
      unknown === undefined
        ? 'usage: npm run test:mutations [-- --only NAME[,NAME] | --list]'
        : `there is no fault '${unknown}'; --list names them`,
    )
    process.exit(2)
  }
  return faults.filter(({ name }) => wanted.includes(name))
}
