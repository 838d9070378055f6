// Weights for the inference of all peers: random filters, and running statistics that keep the activations in range.
import { saveWeights } from '../src/interop/index.js'
import { create } from '../src/models/index.js'

/** Writes a safetensors file for the model of this name. */
export async function writeInferenceWeights(model: string, file: string): Promise<void> {
  const made = create(model)
  for (const [name, { data }] of made.namedParameters()) {
    const [base, swing] = name.endsWith('running_var') ? [2, 1] : name.endsWith('running_mean') ? [0, 0.5] : [0, 0]
    if (swing > 0) data.forEach((_, i) => (data[i] = base + swing * Math.sin(i * 0.7)))
  }
  await saveWeights(made, file)
}
