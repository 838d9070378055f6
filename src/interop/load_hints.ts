/** What would make a file fit a model: the sentences at the end of loadWeights' error. */
import type { Module } from '../nn/module.js'
import type { LoadReport } from './load_report.js'

/** `layout`: the other order of filters, if with it every shape would fit. */
export function loadHints(report: LoadReport, model: Module, layout: string | undefined, strict: boolean): string[] {
  const hints = [renameHint(report), layout && `The filters seem to lie the other way: pass layout: '${layout}'.`]
  if (!layout) hints.push(classesHint(report, model))
  if (strict && report.loaded.length > 0) hints.push('strict: false loads what fits and leaves the rest of the model as it is.')
  if (!hints.some(Boolean))
    hints.push('Make the model with the options it was saved with, or map the names of the file with rename: name => ….')
  return hints.filter(hint => typeof hint === 'string')
}

/** For names that differ by a prefix, such as the 'module.' of PyTorch's DataParallel. */
function renameHint({ missing, unexpected }: LoadReport): string | undefined {
  for (const there of unexpected) {
    const here = missing.find(name => there.endsWith(`.${name}`) || name.endsWith(`.${there}`))
    if (here === undefined) continue
    const rename =
      here.length < there.length
        ? `name.replace('${there.slice(0, -here.length)}', '')`
        : `'${here.slice(0, -there.length)}' + name`
    return `'${there}' of the file may be '${here}' of the model: pass rename: name => ${rename}.`
  }
  return undefined
}

/** For a last layer of another width. */
function classesHint({ mismatched }: LoadReport, model: Module): string | undefined {
  const classes = mismatched[0]?.file[0]
  const onlyClasses = mismatched.every(each => each.file[0] === classes && sameBehindFirst(each.model, each.file))
  if (classes === undefined || !onlyClasses || !('numClasses' in model) || !('modelName' in model)) return undefined
  const create = `models.create('${String(model.modelName)}', { numClasses: ${classes} })`
  return `The file is of a model with ${classes} classes, this one has ${String(model.numClasses)}: use ${create}.`
}

function sameBehindFirst(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => axis === 0 || size === b[axis])
}
