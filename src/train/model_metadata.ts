/** What a weights file says of its network: enough to build it again, to feed it, and to know how the arrays lie. */
import type { ImageFileSource } from '../data/image_files.js'
import { Classifier } from '../models/classifier.js'
import type { TrainingData } from './feeds.js'
import type { TrainingDescription } from './training_description.js'

/** The metadata of model.safetensors; all values are strings, lists are JSON. */
export function modelMetadata(
  { model, data, settings }: Pick<TrainingDescription, 'model' | 'data' | 'settings'>,
  step: number,
): Record<string, string> {
  return {
    ...(model instanceof Classifier && { model: model.modelName, options: JSON.stringify(model.options) }),
    erased_relus: String(settings.erasedReLUs),
    layout: 'KRSC',
    layout_note: 'filters are [out channels, height, width, in channels]; PyTorch has [out, in, height, width]',
    step: String(step),
    ...dataMetadata(data),
  }
}

/** How evaluation looks at images in files. */
function viewMetadata({ options: { valCropSize, valResizeSize } }: ImageFileSource): Record<string, string> {
  return { val_crop_size: String(valCropSize), val_resize_size: String(valResizeSize) }
}

function dataMetadata(data: TrainingData): Record<string, string> {
  const { shape, numClasses, classNames } = 'kind' in data ? { classNames: undefined, ...data } : data.train
  return {
    dataset: data.name,
    input: shape.join('x'),
    num_classes: String(numClasses),
    mean: JSON.stringify(data.mean),
    std: JSON.stringify(data.std),
    ...(classNames && { class_names: JSON.stringify(classNames) }),
    ...('kind' in data && data.kind === 'files' && viewMetadata(data)),
  }
}
