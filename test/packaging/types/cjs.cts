// Compiled by entries.test.ts as a user's CommonJS module: what the types promise for `require`.
import eraserelu = require('eraserelu')

const model = eraserelu.models.create('resnet20', { numClasses: 10, inChannels: 1 })
const report: string = eraserelu.eraseReLU(model, { location: 'last', proportion: 1 }).toString()
const trainer: eraserelu.Trainer | undefined = undefined
console.log(report, trainer)

// @ts-expect-error a location that does not exist
eraserelu.eraseReLU(model, { location: 'lsat', proportion: 1 })
