/** Every file of examples/ runs, and what it prints holds. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { printedBy } from './run_example.js'

vi.setConfig({ testTimeout: 120_000 }) // seconds each, where nothing else keeps the cores busy

const folder = fileURLToPath(new URL('../../examples/', import.meta.url))

/** The numbers in the first group of `pattern`, wherever it matches. */
function numbers(printed: string, pattern: RegExp): number[] {
  const found = Array.from(printed.matchAll(pattern), ([, number]) => Number(number))
  if (found.length === 0) throw new Error(`no ${String(pattern)} in:\n${printed}`)
  return found
}
const number = (printed: string, pattern: RegExp): number => numbers(printed, new RegExp(pattern, 'g'))[0]!

test('own_arrays: learns to tell the drawn shapes apart, and classifies a new one', async () => {
  const printed = await printedBy('own_arrays')
  const losses = numbers(printed, /loss ([\d.]+)/g)
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 2)
  expect(numbers(printed, /test accuracy ([\d.]+) %/g).at(-1)).toBeGreaterThan(90)
  expect(printed).toContain('a cross is taken for a cross')
})

test('custom_network: eraseReLU takes the last ReLU of both branches, and both networks learn', async () => {
  const printed = await printedBy('custom_network')
  expect(printed).toContain('EraseReLU: 4 of 9 ReLUs erased, 5 kept; 2 of 2 basic modules treated')
  for (const name of ['narrowRelu', 'deepRelu2']) expect(printed).toMatch(new RegExp(`blocks.1.${name} +erased`))
  for (const name of ['deepRelu1', 'mergeRelu']) expect(printed).toMatch(new RegExp(`blocks.1.${name} +kept`))
  expect(number(printed, /0 of 9 ReLUs erased: test accuracy ([\d.]+)/)).toBeGreaterThan(60)
  expect(number(printed, /4 of 9 ReLUs erased: test accuracy ([\d.]+)/)).toBeGreaterThan(60)
})

test('fine_tune: the head learns on a frozen body, which keeps every bit and is worth having', async () => {
  const printed = await printedBy('fine_tune')
  expect(printed).toContain('loaded 10 tensors; new: head.weight, head.bias')
  expect(printed).toContain('trained: 132 of 5236 weights')
  expect(printed).toContain("the body's weights and statistics are the same as before")
  const tuned = number(printed, /four groups: test accuracy ([\d.]+)/)
  expect(tuned).toBeGreaterThan(75) // half of the images are of the largest group
  expect(tuned).toBeGreaterThan(number(printed, /never trained: test accuracy ([\d.]+)/) + 10)
})

test('erase_trained: erasing costs accuracy, an epoch of training brings it back', async () => {
  const printed = await printedBy('erase_trained')
  const published = number(printed, /as published: test accuracy ([\d.]+)/)
  const erased = number(printed, /right after erasing: test accuracy ([\d.]+)/)
  const tuned = number(printed, /after fine-tuning: test accuracy ([\d.]+)/)
  expect(printed).toContain('3 of 7 ReLUs erased')
  expect(published).toBeGreaterThan(60)
  expect(erased).toBeLessThan(published - 10)
  expect(tuned).toBeGreaterThan(published - 10)
})

test('custom_loss: the loss falls, and is the number that plain arithmetic gives', async () => {
  const printed = await printedBy('custom_loss')
  const losses = numbers(printed, /epoch \d: focal loss ([\d.]+)/g)
  expect(losses).toHaveLength(3)
  expect(losses[2]).toBeLessThan(losses[0]! - 0.03)
  expect(number(printed, /in plain arithmetic: focal loss ([\d.]+)/)).toBeCloseTo(losses[2]!, 3)
  expect(numbers(printed, /test accuracy ([\d.]+)/g)[2]).toBeGreaterThan(55)
})

test('composite_operation: swish is what arithmetic gives, and the network with its own operations learns', async () => {
  const printed = await printedBy('composite_operation')
  expect(printed).toContain('swish of -1, 0, 2: -0.26894, 0.00000, 1.76159')
  const losses = numbers(printed, /loss ([\d.]+)/g)
  expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.2)
  expect(numbers(printed, /test accuracy ([\d.]+)/g).at(-1)).toBeGreaterThan(50)
  expect(number(printed, /squeeze weights moved by up to ([\d.]+)/)).toBeGreaterThan(0.01)
})

test('every example is tested here or in http_server.test.ts, and listed in README.md', () => {
  const examples = readdirSync(folder).filter(file => file.endsWith('.ts'))
  const tests = readFileSync(fileURLToPath(import.meta.url), 'utf8')
  const readme = readFileSync(`${folder}README.md`, 'utf8')
  for (const file of examples.filter(name => name !== 'http_server.ts')) expect(tests).toContain(`('${file.slice(0, -3)}')`)
  for (const file of examples) expect(readme).toContain(`(${file})`)
})
