// A part of a page that a command writes, between `<!-- NAME -->` and `<!-- /NAME -->`.
import { readFileSync, writeFileSync } from 'node:fs'

/** Puts a text in the place of what stands there. */
export function replaceSection(page, name, text) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [head, rest] = readFileSync(page, 'utf8').split(begin)
  if (rest === undefined || !rest.includes(end)) throw new Error(`${page} has no place for the table: ${begin} … ${end}`)
  writeFileSync(page, `${head}${begin}\n${text}\n${rest.slice(rest.indexOf(end))}`)
}
