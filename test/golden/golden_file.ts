/** Reads the golden files, and compares with them. */
import { join } from 'node:path'
import { expect } from 'vitest'
import { readSafetensors } from '../../src/interop/safetensors.js'
import type { HostArray, HostTensor } from '../../src/runtime/dtype.js'

export interface GoldenFile {
  readonly keys: readonly string[]
  tensor(key: string): HostTensor
  metadata(key: string): unknown
}

export async function openGolden(name: string): Promise<GoldenFile> {
  const { tensors, metadata } = await readSafetensors(join(import.meta.dirname, name))
  return {
    keys: [...tensors.keys()],
    tensor(key) {
      const tensor = tensors.get(key)
      if (!tensor) throw new Error(`${name} has no tensor '${key}'`)
      return { shape: tensor.shape, data: tensor.data as HostArray }
    },
    metadata: key => JSON.parse(metadata[key] ?? 'null') as unknown,
  }
}

/** f32 within `tolerance` times the largest expected value; integers exactly. */
export function expectClose(what: string, actual: HostTensor | undefined, expected: HostTensor, tolerance: number): void {
  expect(actual?.shape, `shape of ${what}`).toEqual(expected.shape)
  if (!(expected.data instanceof Float32Array)) {
    expect(actual?.data, what).toEqual(expected.data)
    return
  }
  let largest = 0
  let worst = 0
  let at = 0
  expected.data.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value))
    const error = Math.abs(actual!.data[i]! - value)
    if (!(error <= worst)) [worst, at] = [error, i]
  })
  const message = `${what}: element ${at} is ${actual!.data[at]}, PyTorch has ${expected.data[at]}; largest ${largest}`
  expect(worst, message).toBeLessThanOrEqual(tolerance * largest)
}
