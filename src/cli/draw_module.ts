/**
 * A basic module as a small text diagram: the longest way from its input to its output in the first row, each other way in a
 * row below, from where it leaves to where it comes back.
 *
 *   x - conv1 3x3 - bn1 - relu1 - conv2 3x3 - bn2 - + - (relu2)
 *   `-----------------------------------------------'
 */
import type { ModuleKind } from '../models/module_kinds.js'
import { outside, type ModuleStep } from '../models/module_steps.js'
import { rangesOf } from './values.js'

/** The input or a step. */
interface Place {
  readonly text: string
  readonly reads: readonly Place[]
  row: number
  /** Of the first character. */
  readonly column: number
}

/** Steps in a row, from one that is in a row above to another. */
interface Way {
  readonly from: Place | undefined
  readonly steps: readonly Place[]
  readonly to: Place | undefined
}

/** Columns between two steps. */
const gap = 3

/** The kinds of basic modules with their diagrams, an empty line after each. */
export function drawModules(kinds: readonly ModuleKind[], { unicode }: { unicode: boolean }): string {
  const total = kinds.reduce((sum, { modules }) => sum + modules.length, 0)
  return kinds
    .map(({ type, modules, treated, steps }) => {
      const which = treated.length === 0 ? 'in none' : treated.length === modules.length ? 'in all' : `in ${rangesOf(treated)}`
      const head = `${type}: ${modules.length} of ${total} modules (${rangesOf(modules)}); ReLUs erased ${which}`
      return `${head}\n${drawModule(steps, { unicode })
        .map(row => `  ${row}\n`)
        .join('')}\n`
    })
    .join('')
}

/** The rows of the diagram; an erased ReLU stands in brackets. */
function drawModule(steps: readonly ModuleStep[], { unicode }: { unicode: boolean }): string[] {
  const input: Place = { text: 'x', reads: [], row: 0, column: 0 }
  const places: Place[] = []
  for (const { label, reads, erased } of steps) {
    const from = reads.map(number => (number === outside ? input : places[number]!))
    const column = Math.max(0, ...from.map(({ text, column }) => column + text.length + gap))
    places.push({ text: erased ? `(${label})` : label, reads: from, row: 0, column })
  }
  const grid = new Grid()
  waysOf(input, places).forEach(({ from, steps, to }, row) => {
    for (const step of steps) step.row = row
    const stations = [from, ...steps, to].filter(place => place !== undefined)
    stations.slice(1).forEach((station, index) => grid.line(stations[index]!, station, row))
  })
  for (const place of [input, ...places]) grid.write(place)
  return grid.rows(unicode)
}

/** The longest way first, then those that lead to it, in the order of execution, and those that lead to these. */
function waysOf(input: Place, places: readonly Place[]): Way[] {
  const depths = new Map<Place, number>([[input, 0]])
  const deepest = ([first, ...others]: readonly Place[]): Place | undefined =>
    others.reduce((best, place) => (depths.get(place)! > depths.get(best!)! ? place : best), first)
  for (const place of places) depths.set(place, 1 + (depths.get(deepest(place.reads)!) ?? 0))

  /** Those that have a row, each with what it reads by a line that is drawn. */
  const drawn = new Map<Place, Set<Place>>([[input, new Set()]])
  const wayTo = (to: Place | undefined, last: Place | undefined): Way => {
    const steps: Place[] = []
    let from = last
    if (to && last) drawn.get(to)!.add(last)
    while (from && !drawn.has(from)) {
      const before = deepest(from.reads)
      drawn.set(from, new Set(before && [before]))
      steps.unshift(from)
      from = before
    }
    return { from, steps, to }
  }

  const ways = [wayTo(undefined, deepest(places))]
  for (;;) {
    const to = places.find(place => drawn.has(place) && drawn.get(place)!.size < place.reads.length)
    const last = to ? to.reads.find(place => !drawn.get(to)!.has(place)) : places.findLast(place => !drawn.has(place))
    if (!last) return ways
    ways.push(wayTo(to, last))
  }
}

/** Directions in which a character's line goes; a sum of them is its place in these alphabets. */
const [left, right, up, down] = [1, 2, 4, 8]
const unicodeLines = ' ╴╶─╵┘└┴╷┐┌┬│┤├┼'
const asciiLines = " ---|'`+|..+|+++"

class Grid {
  private readonly lines: number[][] = []
  private readonly texts: Place[] = []

  write(place: Place): void {
    this.texts.push(place)
  }

  /** In this row or, from and to rows above it, in right angles through it. */
  line(from: Place, to: Place, row: number): void {
    const end = from.column + from.text.length - 1
    const [first, last] = [from.row === row ? end + 2 : end, to.row === row ? to.column - 2 : to.column]
    for (let column = first; column <= last; column++)
      this.add(row, column, (column > first || from.row === row ? left : 0) + (column < last || to.row === row ? right : 0))
    if (from.row < row) this.rise(from.row, row, first)
    if (to.row < row) this.rise(to.row, row, last)
  }

  rows(unicode: boolean): string[] {
    const alphabet = unicode ? unicodeLines : asciiLines
    const rows = this.lines.map(cells => Array.from(cells, cell => alphabet[cell ?? 0]!))
    for (const { text, row, column } of this.texts) {
      const cells = (rows[row] ??= [])
      while (cells.length < column) cells.push(' ')
      cells.splice(column, text.length, ...Array.from(text))
    }
    return rows.map(cells => cells.join(''))
  }

  /** A line from below the upper row into the lower one. */
  private rise(upper: number, lower: number, column: number): void {
    for (let row = upper + 1; row <= lower; row++) this.add(row, column, up + (row < lower ? down : 0))
  }

  private add(row: number, column: number, directions: number): void {
    while (this.lines.length <= row) this.lines.push([])
    const cells = this.lines[row]!
    cells[column] = (cells[column] ?? 0) | directions
  }
}
