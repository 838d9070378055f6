/** Opens what a training left: a run folder, a checkpoint or a weights file becomes the model it describes. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { DataSource, ImageFileSource, ImageShape } from '../data/index.js'
import { loadWeights } from '../interop/index.js'
import { readSafetensors } from '../interop/safetensors.js'
import { create, type Classifier } from '../models/index.js'
import { ReLU } from '../nn/index.js'
import { InvalidArgument } from '../runtime/errors.js'

export interface OpenOptions {
  /** Which checkpoint of a run folder; default 'best', where there is one. */
  which?: 'best' | 'last'
  /** Whether a checkpoint's moving average is taken, where it has one; default true. */
  ema?: boolean
}

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text)
      } catch {
        context.addIssue('it is not JSON')
        return z.NEVER
      }
    })
    .pipe(schema)

/** What src/train/model_metadata.ts writes. */
const metadataSchema = z.object({
  model: z.string(),
  options: json(z.record(z.string(), z.unknown())),
  erased_relus: z.string().transform(names => names.split(' ').filter(name => name !== '')),
  dataset: z.string(),
  input: z.string().regex(/^\d+x\d+x\d+$/).transform(text => text.split('x').map(Number) as unknown as ImageShape),
  mean: json(z.array(z.number())),
  std: json(z.array(z.number())),
  class_names: json(z.array(z.string())).optional(),
  val_crop_size: z.coerce.number().int().min(1).optional(),
  val_resize_size: z.coerce.number().int().min(1).optional(),
}) // prettier-ignore

export class TrainedModel {
  constructor(
    readonly model: Classifier,
    /** The weights file. */
    readonly file: string,
    /** Whether its weights are a moving average. */
    readonly averaged: boolean,
    readonly metadata: z.infer<typeof metadataSchema>,
  ) {}

  /** The data with the mean and standard deviation that the model was trained with. */
  normalised<Data extends DataSource | ImageFileSource>(data: Data): Data {
    const { mean, std } = this.metadata
    return { ...data, mean, std }
  }

  /** The name of a class, or its number. */
  className(index: number): string {
    return this.metadata.class_names?.[index] ?? String(index)
  }
}

/** Throws InvalidArgument that names the file and what is wrong with it. */
export async function openTrained(path: string, options: OpenOptions = {}): Promise<TrainedModel> {
  const { file, averaged } = weightsIn(path, options)
  const metadata = checkedMetadata((await readSafetensors(file)).metadata, file)
  const model = create(metadata.model, metadata.options)
  eraseByName(model, metadata.erased_relus, file)
  await loadWeights(model, file)
  return new TrainedModel(model, file, averaged, metadata)
}

function weightsIn(path: string, { which = 'best', ema = true }: OpenOptions): { file: string; averaged: boolean } {
  if (!existsSync(path)) throw new InvalidArgument(`${path}: there is no such run folder, checkpoint or weights file`)
  if (!statSync(path).isDirectory()) return { file: path, averaged: false }
  const links = which === 'best' ? ['best', 'last'] : ['last']
  const checkpoint = [...links.map(link => join(path, link)), path].find(folder => existsSync(join(folder, 'model.safetensors')))
  if (checkpoint === undefined)
    throw new InvalidArgument(
      `${path} is neither a run folder with a checkpoint ('best' or 'last') nor a checkpoint (model.safetensors)`,
    )
  const average = join(checkpoint, 'model_ema.safetensors')
  const averaged = ema && existsSync(average)
  return { file: averaged ? average : join(checkpoint, 'model.safetensors'), averaged }
}

function checkedMetadata(metadata: Record<string, string>, file: string): z.infer<typeof metadataSchema> {
  const { success, data, error } = metadataSchema.safeParse(metadata)
  if (success) return data
  const problems = error.issues.map(
    ({ path, message }) => `${path.join('.')} (${path.length > 0 && String(path[0]) in metadata ? message : 'missing'})`,
  )
  throw new InvalidArgument(
    `${file}: its metadata does not say which network it is of and for which images: ${problems.join(', ')}. Files of 'eraserelu train' say ` +
      `it; for others, name the network: eraserelu train --model NAME --weights ${file} --test-only`,
  )
}

function eraseByName(model: Classifier, names: readonly string[], file: string): void {
  const modules = new Map(model.namedModules())
  for (const name of names) {
    const relu = modules.get(name)
    if (!(relu instanceof ReLU))
      throw new InvalidArgument(`${file}: erased_relus names '${name}', which is no ReLU of ${model.modelName}`)
    relu.erased = true
  }
}
