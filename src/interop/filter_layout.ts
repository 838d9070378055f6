/** The two orders in which files hold filters, and the way from one to the other. */
import type { Parameter } from '../graph/parameter.js'
import type { Shape } from '../graph/tensor.js'

/**
 * The order of a filter's dimensions: this package's [K, R, S, C/groups], or PyTorch's [K, C/groups, R, S]. In the same order lie the
 * columns of a Linear with an `inputShape`: [R, S, C], or PyTorch's [C, R, S].
 */
export type FilterLayout = 'KRSC' | 'KCRS'

/** The values of a parameter as a file of the layout 'KCRS' holds them, in this package's order. */
export function fromKCRS(parameter: Parameter, values: Float32Array): Float32Array {
  const filter = filterOf(parameter)
  return filter ? transposed(values, filter.channels, filter.pixels) : values
}

/** A parameter as a file of the layout 'KCRS' holds it. */
export function toKCRS(parameter: Parameter): { shape: Shape; data: Float32Array } {
  const { shape, data } = parameter
  const filter = filterOf(parameter)
  return { shape: shapeIn('KCRS', shape), data: filter ? transposed(data, filter.pixels, filter.channels) : data }
}

/** A shape of this package as the layout has it. */
export function shapeIn(layout: FilterLayout, shape: Shape): Shape {
  if (layout === 'KRSC' || shape.length !== 4) return shape
  const [k, r, s, c] = shape as [number, number, number, number]
  return [k, c, r, s]
}

/** The shape of a file's tensor as this package has it. */
export function shapeFrom(layout: FilterLayout, shape: Shape): Shape {
  if (layout === 'KRSC' || shape.length !== 4) return shape
  const [k, c, r, s] = shape as [number, number, number, number]
  return [k, r, s, c]
}

/** What lies otherwise in the two layouts; undefined: nothing. */
function filterOf({ shape, inputShape }: Parameter): { channels: number; pixels: number } | undefined {
  const [height, width, channels] = inputShape ?? (shape.length === 4 ? shape.slice(1) : [])
  return channels === undefined ? undefined : { channels, pixels: height * width }
}

/** Values of filters, each a matrix [rows, columns], as matrices [columns, rows]. */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length)
  let at = 0
  for (let filter = 0; filter < values.length; filter += rows * columns)
    for (let column = 0; column < columns; column++)
      for (let row = 0; row < rows; row++) turned[at++] = values[filter + row * columns + column]!
  return turned
}
