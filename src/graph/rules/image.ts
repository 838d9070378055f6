import { elementsOf } from '../tensor.js'
import { numbers, operand, reject, requireShape, type Call, type Rule } from './rule.js'

function checkImages(call: Call, source: string, batch: number): void {
  const { shape, dtype } = operand(call, source)
  if (dtype !== 'u8' || shape.length !== 4)
    reject(call, `${source} must be u8 [N, H, W, C], got ${operand(call, source).toString()}`)
  for (const name of ['mean', 'std']) {
    if (numbers(call.attributes, name).length !== shape[3]) {
      reject(call, `${name} has ${numbers(call.attributes, name).length} values for ${shape[3]} channels`)
    }
  }
  requireShape(call, 'offsets', [batch, 2], 'top and left of each crop')
  requireShape(call, 'flips', [batch], 'one a sample')
  requireShape(call, 'cutouts', [batch, 2], 'centre of each square')
}

/** Both write a size that the caller chooses, so the type is passed in; the rule only checks what it can. */
export function checkImageCall(call: Call): void {
  if (call.op === 'imageInput') checkImages(call, 'images', operand(call, 'images').shape[0] ?? 0)
  else checkImages(call, 'dataset', operand(call, 'indices').shape[0] ?? 0)
}

export const image = {
  imageInput: { doc: 'u8 images to normalised f32, cropped, flipped, cut out, in one pass' } satisfies Rule,
  gatherImages: {
    doc: 'as imageInput, the images picked by index from a resident data set',
    touches({ reads }) {
      const [, ...image] = reads.dataset?.shape ?? []
      return { dataset: elementsOf([reads.indices?.shape[0] ?? 0, ...image]) }
    },
  } satisfies Rule,
}
