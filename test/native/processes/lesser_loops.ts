/**
 * Runs all cases in f32 on the CPU with the loops of a lesser instruction set (ERASERELU_CPU_ISA, and ONEDNN_MAX_CPU_ISA so that the library leaves
 * as much to them) and prints which, how many cases, and what differs from the reference.
 */
import { deviceInfo } from '../../../src/runtime/devices.js'
import { convolutionCasesOf } from '../cases/convolution.js'
import { cases } from '../cases/index.js'
import { groupedCases, tapwiseGeometries, winogradGeometries } from '../cases/own_convolution.js'
import { differenceOf, filterGradientEngine, runCase, toleranceOf } from '../run_case.js'

const winograd = convolutionCasesOf(winogradGeometries).map(each => ({ each, factor: 4 })) // winograd.test.ts says why
const direct = [...cases, ...groupedCases, ...convolutionCasesOf(tapwiseGeometries)].map(each => ({ each, factor: 1 }))

const wrong: string[] = []
for (const { each, factor } of [...winograd, ...direct]) {
  const expected = await runCase(each, false, { device: 'reference' })
  const difference = differenceOf(await runCase(each, false, { device: 'cpu' }), expected, factor * toleranceOf(each))
  if (difference !== undefined) wrong.push(`${each.op}: ${each.name}: ${difference}`)
}
const engines = await Promise.all(
  [winogradGeometries[0]!, tapwiseGeometries[0]!].map(geometry => filterGradientEngine(geometry, true)),
)
const { instructions } = deviceInfo('cpu')
console.log(JSON.stringify({ instructions, cases: winograd.length + direct.length, wrong, engines }))
