import type { Padding } from '../../graph/functions.js'

/** "3x3", for the printed form of a layer. */
export const size = (value: Padding): string => (typeof value === 'number' ? `${value}x${value}` : value.join('x'))
