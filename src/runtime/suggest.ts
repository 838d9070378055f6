import type * as Levenshtein from 'fastest-levenshtein'
import { dependency } from './dependency.js'

const levenshtein = dependency('fastest-levenshtein') as () => typeof Levenshtein

/** The names nearest to a wrong one, best first: for "did you mean …" in error messages. */
export function nearest(wrong: string, names: Iterable<string>, count = 3): string[] {
  const { distance } = levenshtein()
  const limit = Math.max(2, Math.ceil(wrong.length / 3))
  return [...names]
    .map(name => ({ name, far: distance(wrong.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, far }) => far <= limit || name.includes(wrong))
    .sort((a, b) => a.far - b.far)
    .slice(0, count)
    .map(({ name }) => name)
}

/** " Did you mean 'resnet20'?", or an empty string when nothing is near. */
export function didYouMean(wrong: unknown, names: Iterable<string>): string {
  const near = typeof wrong === 'string' ? nearest(wrong, names) : []
  return near.length === 0 ? '' : ` Did you mean ${near.map(name => `'${name}'`).join(' or ')}?`
}
