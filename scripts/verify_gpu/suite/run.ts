// Runs the tests of suite files that belong to the device: those whose title names it.
import type { Reporter } from '../reporter.js'
import { Skip } from '../reporter.js'
import { takeTests, type Group, type Test } from './vitest.js'

/** Loads the files one by one and runs their tests. `every`: of the tests of one operation only each so-manieth, the first included. */
export async function runSuites(
  reporter: Reporter,
  files: Readonly<Record<string, () => Promise<unknown>>>,
  every = 1,
): Promise<void> {
  const { device } = reporter.settings
  const kind = device.split(':')[0]!
  for (const [file, load] of Object.entries(files)) {
    await load()
    const own = (await takeTests()).filter(test => new RegExp(String.raw`\b${kind}\b`).test(pathOf(test)))
    const chosen = thin(own, every)
    if (chosen.length < own.length) reporter.note(`${file}: ${chosen.length} of ${own.length} tests, because of --small`)
    // A file without a test of the device would be a section that cannot fail.
    if (own.length === 0) await reporter.case(file, () => Promise.reject(new Error(`${file} has no test of device '${kind}'`)))
    await runTests(reporter, file, chosen)
  }
}

const pathOf = ({ groups, title }: Test) => [...groups.slice(1).map(group => group.title), title].join(' > ')

/** Each n-th test of every operation ("conv2d: …"), so that no operation is left out. */
function thin(tests: readonly Test[], n: number): Test[] {
  const counts = new Map<string, number>()
  return tests.filter(test => {
    const operation = pathOf(test).replace(/:.*/, '')
    const index = counts.get(operation) ?? 0
    counts.set(operation, index + 1)
    return index % n === 0
  })
}

async function runTests(reporter: Reporter, file: string, tests: readonly Test[]): Promise<void> {
  const entered = new Map<Group, Promise<void>>()
  for (const test of tests) {
    const name = `${file}: ${pathOf(test)}`
    if (test.skipped !== undefined) {
      reporter.skip(name, test.skipped)
      continue
    }
    await reporter.case(name, async () => {
      for (const group of test.groups) {
        if (!entered.has(group)) entered.set(group, all(group.before))
        await entered.get(group)
      }
      for (const group of test.groups) await all(group.beforeEach)
      try {
        await test.run({
          skip: reason => {
            throw new Skip(reason ?? 'the test says that it does not run here')
          },
        })
      } finally {
        for (const group of [...test.groups].reverse()) await all(group.afterEach)
      }
    })
  }
  for (const group of [...entered.keys()].reverse()) await all(group.after)
}

async function all(hooks: readonly (() => unknown)[]): Promise<void> {
  for (const hook of hooks) await hook()
}
