/** Tables, and whether stdout can show more than ASCII. */
import Table from 'cli-table3'
import { speaksUnicode } from '../train/progress.js'

const ascii = {
  top: '-', 'top-mid': '+', 'top-left': '+', 'top-right': '+', bottom: '-', 'bottom-mid': '+', 'bottom-left': '+', 'bottom-right': '+',
  left: '|', 'left-mid': '+', mid: '-', 'mid-mid': '+', right: '|', 'right-mid': '+', middle: '|',
} // prettier-ignore

/** Whether stdout is a terminal that shows characters beyond ASCII. */
export const unicodeOut = (): boolean => process.stdout.isTTY && speaksUnicode()

/** A table with a ruled heading: names at the left, numbers at the right. */
export function renderTable([head, ...rows]: readonly (readonly string[])[], { unicode }: { unicode: boolean }): string {
  const columns = head!.length
  const table = new Table({
    head: [...head!],
    colAligns: Array.from({ length: columns }, (_, i) => (i === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
    ...(unicode ? {} : { chars: ascii }),
  })
  table.push(...rows.map(row => [...row]))
  return table.toString()
}
