// Stands in for vitest where the suites run without it: on a machine that has Node and this bundle only. It knows what the bundled
// suites use. A file's tests are collected when it is imported and run by run.ts.
import {
  ASYMMETRIC_MATCHERS_OBJECT, chai, GLOBAL_EXPECT, JestAsymmetricMatchers, JestChaiExpect, JestExtend, setState,
} from '@vitest/expect' // prettier-ignore
import { argumentsOf, eachTitle } from './each_title.js'

export interface TestContext {
  /** Ends the test as skipped, for this reason. */
  skip(reason?: string): never
}

export interface Test {
  readonly title: string
  readonly groups: readonly Group[]
  /** Why it is not to be run. */
  readonly skipped: string | undefined
  readonly run: (context: TestContext) => unknown
}

export interface Group {
  readonly title: string
  readonly before: (() => unknown)[]
  readonly after: (() => unknown)[]
  readonly beforeEach: (() => unknown)[]
  readonly afterEach: (() => unknown)[]
}

type Body = (...args: never[]) => unknown

const newGroup = (title: string): Group => ({ title, before: [], after: [], beforeEach: [], afterEach: [] })

/** Where a declaration belongs: the groups that are open now, the file's own first. */
let open: Group[] = [newGroup('')]
let collected: Test[] = []
/** Bodies of describe() that have not run yet; they may be asynchronous. */
const waiting: { readonly groups: Group[]; readonly body: () => unknown }[] = []

/** The tests that were declared since the last call. */
export async function takeTests(): Promise<Test[]> {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    open = next.groups
    await next.body()
  }
  const tests = collected
  collected = []
  open = [newGroup('')]
  return tests
}

function declare(title: string, run: (context: TestContext) => unknown, skipped?: string): void {
  collected.push({ title, groups: [...open], skipped, run })
}

function group(title: string, body: () => unknown): void {
  waiting.push({ groups: [...open, newGroup(title)], body })
}

function makeTest(skipped?: string) {
  const one = (title: string, body: (context: TestContext) => unknown) => declare(title, body, skipped)
  const each = (rows: readonly unknown[]) => (title: string, body: Body) => {
    for (const args of rows.map(argumentsOf)) declare(eachTitle(title, args), () => body(...(args as never[])), skipped)
  }
  return Object.assign(one, { each })
}

const skippedText = 'the test says that it does not run here'
export const test = Object.assign(makeTest(), {
  skip: makeTest(skippedText),
  skipIf: (condition: unknown) => makeTest(condition ? skippedText : undefined),
  runIf: (condition: unknown) => makeTest(condition ? undefined : skippedText),
})
export const it = test

export const describe = Object.assign(group, {
  each: (rows: readonly unknown[]) => (title: string, body: Body) => {
    for (const args of rows.map(argumentsOf)) group(eachTitle(title, args), () => body(...(args as never[])))
  },
})

export const beforeAll = (hook: () => unknown): void => void open.at(-1)!.before.push(hook)
export const afterAll = (hook: () => unknown): void => void open.at(-1)!.after.push(hook)
export const beforeEach = (hook: () => unknown): void => void open.at(-1)!.beforeEach.push(hook)
export const afterEach = (hook: () => unknown): void => void open.at(-1)!.afterEach.push(hook)

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

/** expect() with vitest's own matchers, and with the asymmetric ones (stringContaining …) as properties, which chai keeps on its own. */
export const expect = Object.assign((value: unknown, message?: string) => chai.expect(value, message), chai.expect)
Object.defineProperties(
  expect,
  Object.getOwnPropertyDescriptors((globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT]),
)
;(globalThis as unknown as Record<symbol, unknown>)[GLOBAL_EXPECT] = expect
setState({ assertionCalls: 0 }, expect as never)
