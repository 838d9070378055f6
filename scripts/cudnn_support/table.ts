/** The committed table: what cuDNN says of every convolution of every model, and what runs every other operation. */
import { isConvolution, precisions, type Operation } from './operations.js'
import type { PlanOfModel } from './plans_of_models.js'

/** What the backend runs for an operation, and for a convolution the plans 'allowed/offered'. */
export interface Answer {
  readonly engine: string
  readonly plans: string
}

export interface Answers {
  readonly architectures: readonly number[]
  of(operation: Operation, architecture: number): Answer
}

/** What a plan consists of, without the plan, which can be large. */
export interface UsedOperations extends Pick<PlanOfModel, 'model' | 'use' | 'erased'> {
  readonly operations: readonly Operation[]
}

/** Whether cuDNN refused to fuse what belongs to the convolution, so that a kernel of ours follows. */
const alone = ({ engine }: Answer) => engine.includes('+ own')
export const isMissing = ({ engine }: Answer): boolean => engine.startsWith('none')

export function tableText(version: string, used: readonly UsedOperations[], answers: Answers): string {
  const operations = [...new Set(used.flatMap(({ operations }) => operations))]
  const sections = [
    [
      `cuDNN ${version}, asked without a GPU by the backend's own code: npm run check:cudnn.`,
      'Of each graph: how many plans the default policy allows (deterministic, no TF32) / how many cuDNN offers.',
      '`alone`: cuDNN does not fuse what follows the convolution; it runs alone, and a kernel of ours after it.',
      'No GPU has confirmed that these plans compute the right thing: the check at first use does.',
    ],
    ['', 'Convolutions', ...convolutionRows(operations.filter(isConvolution), answers)],
    [
      '',
      'Other operations',
      ...otherRows(
        operations.filter(operation => !isConvolution(operation)),
        answers,
      ),
    ],
    [
      '',
      'Models: distinct convolutions that are one graph + those that run alone with a kernel of ours after them',
      ...modelRows(used, answers),
    ],
  ]
  return `${sections.flat().join('\n')}\n`
}

function convolutionRows(operations: readonly Operation[], answers: Answers): string[] {
  const columns = precisions.flatMap(precision => answers.architectures.map(sm => ({ precision, sm })))
  const rows = new Map<string, string[]>()
  for (const operation of operations) {
    const name = `${operation.op} ${operation.form}`
    const cells = rows.get(name) ?? columns.map(() => '')
    columns.forEach(({ precision, sm }, i) => {
      if (precision === operation.precision) cells[i] = cellOf(answers.of(operation, sm))
    })
    rows.set(name, cells)
  }
  const texts = [...rows].map(([name, cells]) => [name, ...cells])
  texts.sort(([a], [b]) => a!.localeCompare(b!, 'en', { numeric: true }))
  return aligned([['', ...columns.map(({ precision, sm }) => `${precision} sm_${sm}`)], ...texts])
}

function cellOf(answer: Answer): string {
  return isMissing(answer) ? 'none' : `${alone(answer) ? 'alone ' : ''}${answer.plans}`
}

function otherRows(operations: readonly Operation[], answers: Answers): string[] {
  const engines = new Map<string, Set<string>>()
  for (const operation of operations) {
    const seen = engines.get(operation.op) ?? new Set<string>()
    for (const sm of answers.architectures) seen.add(answers.of(operation, sm).engine)
    engines.set(operation.op, seen)
  }
  const texts = [...engines].sort().map(([op, seen]) => [op, [...seen].sort().join('; ')])
  return aligned([['', 'engine, in every precision'], ...texts])
}

function modelRows(used: readonly UsedOperations[], answers: Answers): string[] {
  const rows = new Map<string, string[]>()
  for (const { model, use, erased, operations } of used) {
    const name = `${model} ${use}${erased ? ', erased' : ''}`
    const cells = rows.get(name) ?? precisions.map(() => '')
    precisions.forEach((precision, i) => {
      const convolutions = operations.filter(operation => isConvolution(operation) && operation.precision === precision)
      if (convolutions.length === 0) return
      const counts = answers.architectures.map(sm => {
        const others = convolutions.filter(operation => alone(answers.of(operation, sm))).length
        return `${convolutions.length - others}+${others}`
      })
      cells[i] = [...new Set(counts)].join(', ')
    })
    rows.set(name, cells)
  }
  return aligned([['', ...precisions], ...[...rows].map(([name, cells]) => [name, ...cells])])
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows.map(row =>
    row
      .map((text, column) => text.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
}
