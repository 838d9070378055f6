/** A bar on stderr that shows how many steps of a measurement are done. */
import { SingleBar } from 'cli-progress'
import { speaksUnicode } from '../train/progress.js'

export interface StepBar {
  /** `took`: milliseconds of the last step. */
  readonly update: (done: number, took?: number) => void
  readonly stop: () => void
}

export function stepBar(total: number): StepBar {
  const [barCompleteChar, barIncompleteChar] = speaksUnicode() ? ['█', '░'] : ['#', '.']
  const format = 'measuring {bar} step {value}/{total}{speed}'
  const bar = new SingleBar({
    format, barsize: 20, barCompleteChar, barIncompleteChar, linewrap: true, gracefulExit: false, noTTYOutput: true, notTTYSchedule: 5000,
  }) // prettier-ignore
  bar.start(total, 0, { speed: ', warming up' })
  return {
    update: (done, took) => bar.update(done, { speed: took === undefined ? '' : `, ${took.toFixed(1)} ms a step` }),
    stop: () => bar.stop(),
  }
}
