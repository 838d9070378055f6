/** `eraserelu info`: counts, memory and table. The numbers of the networks are those of known_counts.test.ts. */
import { expect, it } from 'vitest'
import type { Info } from '../../src/cli/info_run.js'
import { runCli } from './run_cli.js'

async function infoOf(words: string): Promise<Info> {
  const { code, stdout, stderr } = await runCli(['info', ...words.split(' '), '--json'])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return JSON.parse(stdout) as Info
}

it('counts parameters, multiply-accumulates and ReLUs of ResNet-20, and plans the memory of a training step', async () => {
  const info = await infoOf('resnet20 --erase last')
  expect(info).toMatchObject({
    parameters: 269_722,
    macs: 40_551_040,
    relus: { total: 19, kept: 10, erased: 9 },
    imageSize: 32,
    batchSize: 32,
    task: 'training',
  })
  const sum = (key: 'parameters' | 'macs') => info.layers.reduce((total, layer) => total + layer[key], 0)
  expect([sum('parameters'), sum('macs')]).toEqual([info.parameters, info.macs])
  expect(info.layers.filter(({ relu }) => relu === 'erased').map(({ name }) => name)).toContain('layer3.2.relu2')
  expect(info.modules).toHaveLength(9)
  expect(info.modules[3]).toEqual({
    name: 'layer2.0',
    kind: 1,
    chains: [[{ name: 'layer2.0.relu1', erased: false }, { name: 'layer2.0.relu2', erased: true }]],
  }) // prettier-ignore
  expect(info.moduleKinds.map(({ type, modules, treated }) => [type, modules, treated])).toEqual([
    ['BasicBlock', [0, 1, 2, 4, 5, 7, 8], [0, 1, 2, 4, 5, 7, 8]],
    ['BasicBlock', [3, 6], [3, 6]],
  ])
  const { planned, store, arena, inputs, packed, largest } = info.memory
  expect(planned).toBe(info.plannedBytes)
  expect(store + arena + inputs + packed).toBe(planned)
  expect(store).toBeGreaterThanOrEqual(2 * 4 * info.parameters)
  expect(largest.map(({ bytes }) => bytes)).toContain(32 * 32 * 32 * 16 * 4)
})

it('plans inference for any batch and image size, with the options of the network', async () => {
  const words =
    'resnet20 --infer --batch-size 2 --image-size 28 --in-channels 1 --num-classes 7 --model-kwargs width=8 shortcut=B'
  const info = await infoOf(words)
  expect(info).toMatchObject({
    options: { numClasses: 7, inChannels: 1, width: 8, shortcut: 'B' },
    relus: { total: 19, kept: 19, erased: 0 },
    task: 'inference',
  })
  expect(info.layers[0]).toMatchObject({ name: 'conv1', type: 'Conv2d', output: [1, 28, 28, 8], parameters: 72 })
  expect(info.memory.inputs).toBe(2 * 28 * 28 * 4)
})

it('takes 224x224 for the networks that were designed for it', async () => {
  const info = await infoOf('resnet18 --infer --batch-size 1 --erase first --erase-proportion 0.5 --erase-select first')
  expect(info).toMatchObject({ imageSize: 224, parameters: 11_689_512, macs: 1_814_073_344, relus: { total: 17, erased: 4 } })
})

it('prints a table for people', async () => {
  const { stdout } = await runCli(['info', 'resnet20', '--erase', 'last'])
  expect(stdout).toMatch(/layer3\.2\.conv2 +\| +Conv2d \| +8x8x64 \| +36,864 \| +2,359,296 \| +\|/)
  expect(stdout).toMatch(/layer3\.2\.relu2 +\| +ReLU \| +8x8x64 \| +\| +\| erased \|/)
  expect(stdout).toMatch(/^Parameters: +269,722$/m)
  expect(stdout).toMatch(/^BasicBlock: 2 of 9 modules \(3,6\); ReLUs erased in all\n {2}x - conv1 3x3 - .* - \+ - \(relu2\)$/m)
  expect(stdout).toMatch(/^ReLUs: +19: 10 kept, 9 erased \(in brackets above\)$/m)
  expect(stdout).toMatch(/^Planned memory: +\d+ MB for a training step/m)
})
