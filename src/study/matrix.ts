/** The matrix of a study: which networks are trained with which ReLUs erased, and with which seeds. */

export type Location = 'last' | 'first' | 'middle' | number

/** One block of the matrix: every model with every location and proportion. */
export interface MatrixPart {
  readonly models: readonly string[]
  /** Which ReLU of each basic module is erased. */
  readonly locations: readonly Location[]
  /** Shares of the basic modules in which it is erased, 0 to 1; 0 is the network as published, the baseline. */
  readonly proportions: readonly number[]
}

/** A network with its rule: what the seeds are averaged over. */
export interface Arm {
  /** 'resnet20-last-50', or 'resnet20-baseline': part of file names. */
  readonly id: string
  readonly model: string
  /** Undefined: the baseline, which all locations share. */
  readonly location: Location | undefined
  readonly proportion: number
}

export interface Run {
  /** 'resnet20-last-50-seed1': the name of its run folder. */
  readonly name: string
  readonly arm: Arm
  readonly seed: number
}

/** The arms in the order of the matrix, each once; by model the baseline comes first. */
export function armsOf(matrix: readonly MatrixPart[]): Arm[] {
  const all = matrix.flatMap(({ models, locations, proportions }) =>
    models.flatMap(model =>
      proportions.flatMap(share => (share === 0 ? [baseline(model)] : locations.map(place => erased(model, place, share)))),
    ),
  )
  const arms = new Map(all.map(arm => [arm.id, arm]))
  const models = new Set(all.map(({ model }) => model))
  return [...models].flatMap(model => {
    const own = [...arms.values()].filter(arm => arm.model === model)
    return [...own.filter(isBaseline), ...own.filter(arm => !isBaseline(arm))]
  })
}

/** Seed by seed, so that a study that is stopped early has whole pairs. */
export const runsOf = (arms: readonly Arm[], seeds: readonly number[]): Run[] =>
  seeds.flatMap(seed => arms.map(arm => ({ name: `${arm.id}-seed${seed}`, arm, seed })))

export const isBaseline = ({ location }: Arm): boolean => location === undefined

/** 'as published', 'last ReLU erased, 50 %' */
export function armTitle({ location, proportion }: Arm): string {
  if (location === undefined) return 'as published'
  return `${typeof location === 'number' ? `ReLU ${location}` : `${location} ReLU`} erased, ${percent(proportion)} %`
}

const baseline = (model: string): Arm => ({ id: `${model}-baseline`, model, location: undefined, proportion: 0 })

const erased = (model: string, location: Location, proportion: number): Arm => ({
  id: `${model}-${location}-${percent(proportion)}`,
  model,
  location,
  proportion,
})

/** 50, 33.3 */
const percent = (share: number) => +(100 * share).toFixed(3)
