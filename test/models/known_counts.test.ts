/** Published numbers of parameters, ReLUs and multiply-accumulates; erased: the last ReLU of every basic module. */
import { describe, expect, test } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import * as models from '../../src/models/index.js'

describe('small images, 32x32', () => {
  test.each([
    // depth, parameters with 10 and 100 classes, multiply-accumulates with 10 classes, for shortcut A and B; ReLUs and erased ones
    [20, [269_722, 275_572, 40_551_040], [272_474, 278_324, 40_813_184], 19, 9],
    [32, [464_154, 470_004, 68_862_592], [466_906, 472_756, 69_124_736], 31, 15],
    [44, [658_586, 664_436, 97_174_144], [661_338, 667_188, 97_436_288], 43, 21],
    [56, [853_018, 858_868, 125_485_696], [855_770, 861_620, 125_747_840], 55, 27],
    [110, [1_727_962, 1_733_812, 252_887_680], [1_730_714, 1_736_564, 253_149_824], 109, 54],
  ])('resnet%i', (depth, a, b, relus, erased) => {
    for (const [shortcut, [ten, hundred, macs]] of [['A', a] as const, ['B', b] as const]) {
      const model = models.create(`resnet${depth}`, { shortcut })
      const summary = models.summarize(model, [1, 32, 32, 3])
      expect(summary).toMatchObject({ parameters: ten, macs, output: [1, 10] })
      expect(models.create(`resnet${depth}`, { shortcut, numClasses: 100 }).parameterCount()).toBe(hundred)
      expect(eraseReLU(model).counts).toEqual({ total: relus, erased, kept: relus - erased })
      expect(models.summarize(model, [1, 32, 32, 3])).toMatchObject({ parameters: ten, macs })
    }
  })

  test.each([
    [8, 75_290, 81_140],
    [14, 172_506, 178_356],
  ])('depth %i, not in the registry', (depth, ten, hundred) => {
    expect(new models.CifarResNet(depth).parameterCount()).toBe(ten)
    expect(new models.CifarResNet(depth, { numClasses: 100 }).parameterCount()).toBe(hundred)
  })
})

describe('large images, 224x224', () => {
  test.each([
    [18, 11_689_512, 1_814_073_344, 17, 8],
    [34, 21_797_672, 3_663_761_408, 33, 16],
    [50, 25_557_032, 4_089_184_256, 49, 16],
  ] as const)('resnet%i', (depth, parameters, macs, relus, erased) => {
    const model = new models.ResNet(depth)
    expect(models.summarize(model, [1, 224, 224, 3])).toMatchObject({ parameters, macs, output: [1, 1000] })
    expect(eraseReLU(model).counts).toEqual({ total: relus, erased, kept: relus - erased })
  })
})
