/**
 * Published numbers of parameters, and numbers of ReLUs and multiply-accumulates that follow from the published layouts; erased: the
 * last ReLU of every basic module.
 */
import { describe, expect, test } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import * as models from '../../src/models/index.js'
import { build } from '../../src/models/registry.js'

/** Parameters with the model's own and with 100 classes, multiply-accumulates of one image of 32x32 with 10 classes. */
type Counts = readonly [ten: number, hundred: number, macs: number]

const small: [string, models.ModelOptions, Counts][] = [
  ['resnet20', {}, [269_722, 275_572, 40_551_040]],
  ['resnet20', { shortcut: 'B' }, [272_474, 278_324, 40_813_184]],
  ['resnet32', {}, [464_154, 470_004, 68_862_592]],
  ['resnet32', { shortcut: 'B' }, [466_906, 472_756, 69_124_736]],
  ['resnet44', {}, [658_586, 664_436, 97_174_144]],
  ['resnet44', { shortcut: 'B' }, [661_338, 667_188, 97_436_288]],
  ['resnet56', {}, [853_018, 858_868, 125_485_696]],
  ['resnet56', { shortcut: 'B' }, [855_770, 861_620, 125_747_840]],
  ['resnet110', {}, [1_727_962, 1_733_812, 252_887_680]],
  ['resnet110', { shortcut: 'B' }, [1_730_714, 1_736_564, 253_149_824]],
  ['resnet1202', {}, [19_421_274, 19_427_124, 2_829_238_912]],
  ['resnet1202', { shortcut: 'B' }, [19_424_026, 19_429_876, 2_829_501_056]],
  ['resnet164', {}, [1_661_274, 1_684_404, 242_403_840]],
  ['resnet164', { shortcut: 'B' }, [1_704_154, 1_727_284, 247_646_720]],
  ['resnet1001', {}, [10_285_722, 10_308_852, 1_485_752_832]],
  ['resnet1001', { shortcut: 'B' }, [10_328_602, 10_351_732, 1_490_995_712]],
  ['preact_resnet20', {}, [269_722, 275_572, 40_551_040]],
  ['preact_resnet20', { shortcut: 'B' }, [272_282, 278_132, 40_813_184]],
  ['preact_resnet32', {}, [464_154, 470_004, 68_862_592]],
  ['preact_resnet32', { shortcut: 'B' }, [466_714, 472_564, 69_124_736]],
  ['preact_resnet44', {}, [658_586, 664_436, 97_174_144]],
  ['preact_resnet44', { shortcut: 'B' }, [661_146, 666_996, 97_436_288]],
  ['preact_resnet56', {}, [853_018, 858_868, 125_485_696]],
  ['preact_resnet56', { shortcut: 'B' }, [855_578, 861_428, 125_747_840]],
  ['preact_resnet110', {}, [1_727_962, 1_733_812, 252_887_680]],
  ['preact_resnet110', { shortcut: 'B' }, [1_730_522, 1_736_372, 253_149_824]],
  ['preact_resnet164', {}, [1_703_258, 1_726_388, 244_500_992]],
  ['preact_resnet1001', {}, [10_327_706, 10_350_836, 1_487_849_984]],
  ['wrn_16_4', {}, [2_748_890, 2_772_020, 392_612_352]],
  ['wrn_16_8', {}, [10_961_370, 11_007_540, 1_548_145_664]],
  ['wrn_28_10', {}, [36_479_194, 36_536_884, 5_243_328_768]],
  ['wrn_40_2', {}, [2_243_546, 2_255_156, 327_599_360]],
  ['wrn_40_4', {}, [8_949_210, 8_972_340, 1_298_582_016]],
  ['wrn_40_8', {}, [35_748_314, 35_794_484, 5_172_024_320]],
  ['wrn_40_10', {}, [55_841_754, 55_899_444, 8_074_483_968]],
  ['resnext29_8x64d', {}, [34_426_698, 34_518_948, 5_387_266_048]],
  ['resnext29_16x64d', {}, [68_155_210, 68_247_460, 10_688_866_304]],
  ['resnext29_32x4d', {}, [4_775_754, 4_868_004, 774_055_936]],
  ['densenet_bc_100_12', {}, [769_162, 800_032, 287_929_692]],
  ['densenet_bc_190_40', {}, [25_624_430, 25_821_620, 9_301_945_740]],
  ['densenet_bc_250_24', {}, [15_324_406, 15_480_556, 5_418_785_724]],
  ['densenet_bc_40_12', {}, [176_122, 188_092, 72_365_352]],
  ['densenet_bc_40_36', {}, [1_542_682, 1_578_412, 647_298_936]],
  ['densenet_40_12', {}, [1_019_722, 1_060_132, 264_812_928]],
  ['densenet_100_12', {}, [6_979_642, 7_084_852, 1_769_516_448]],
  ['densenet_100_24', {}, [27_249_082, 27_457_972, 6_889_347_744]],
  ['vgg16_bn_cifar', {}, [14_728_266, 14_774_436, 313_201_664]],
  ['vgg16_bn_cifar', { convBias: false }, [14_724_042, 14_770_212, 313_201_664]],
  ['vgg19_bn_cifar', {}, [20_040_522, 20_086_692, 398_136_320]],
  ['vgg19_bn_cifar', { convBias: false }, [20_035_018, 20_081_188, 398_136_320]],
]

test.each(small)('%s %o, 32x32', (name, options, [ten, hundred, macs]) => {
  const model = build(name, options)
  expect(models.summarize(model, [1, 32, 32, 3])).toMatchObject({ parameters: ten, macs, output: [1, 10] })
  expect(build(name, { ...options, numClasses: 100 }).parameterCount()).toBe(hundred)
})

test.each<[string, (options: { numClasses?: number }) => models.Classifier, number, number]>([
  ['CifarResNet(8)', options => new models.CifarResNet(8, options), 75_290, 81_140],
  ['CifarResNet(14)', options => new models.CifarResNet(14, options), 172_506, 178_356],
  ['wrn_22_2', options => build('wrn_22_2', options), 1_079_642, 1_091_252],
])('%s, not in the registry', (_, make, ten, hundred) => {
  expect(make({}).parameterCount()).toBe(ten)
  expect(make({ numClasses: 100 }).parameterCount()).toBe(hundred)
})

/** Parameters, and multiply-accumulates of one image of 224x224, with 1000 classes. */
const large: [string, models.ModelOptions, number, number][] = [
  ['resnet18', {}, 11_689_512, 1_814_073_344],
  ['resnet34', {}, 21_797_672, 3_663_761_408],
  ['resnet50', {}, 25_557_032, 4_089_184_256],
  ['resnet50', { strideIn: '1x1' }, 25_557_032, 3_857_973_248],
  ['resnet101', {}, 44_549_160, 7_801_405_440],
  ['resnet101', { strideIn: '1x1' }, 44_549_160, 7_570_194_432],
  ['resnet152', {}, 60_192_808, 11_513_626_624],
  ['resnet152', { strideIn: '1x1' }, 60_192_808, 11_282_415_616],
  ['resnet200', {}, 64_673_832, 15_007_481_856],
  ['resnet200', { strideIn: '1x1' }, 64_673_832, 14_776_270_848],
  ['preact_resnet18', {}, 11_687_848, 1_814_073_344],
  ['preact_resnet34', {}, 21_796_008, 3_663_761_408],
  ['preact_resnet50', {}, 25_549_480, 4_089_184_256],
  ['preact_resnet101', {}, 44_541_608, 7_801_405_440],
  ['preact_resnet152', {}, 60_185_256, 11_513_626_624],
  ['preact_resnet200', {}, 64_666_280, 15_007_481_856],
  ['preact_resnet200', { strideIn: '1x1' }, 64_666_280, 14_776_270_848],
  ['resnext50_32x4d', {}, 25_028_904, 4_230_479_872],
  ['resnext101_32x4d', {}, 44_177_704, 7_969_996_800],
  ['resnext101_64x4d', {}, 83_455_272, 15_460_270_080],
  ['resnext101_32x8d', {}, 88_791_336, 16_414_015_488],
  ['wide_resnet50_2', {}, 68_883_240, 11_398_021_120],
  ['bn_inception', { convBias: true }, 11_295_240, 2_032_600_064],
  ['bn_inception', {}, 11_285_224, 2_032_600_064],
  ['densenet121', {}, 7_978_856, 2_834_161_664],
  ['densenet169', {}, 14_149_480, 3_359_843_328],
  ['densenet201', {}, 20_013_928, 4_291_365_888],
  ['densenet161', {}, 28_681_000, 7_727_907_072],
]

test.each(large)('%s %o, 224x224', (name, options, parameters, macs) => {
  const model = build(name, options)
  expect(models.summarize(model, [1, 224, 224, 3])).toMatchObject({ parameters, macs, output: [1, 1000] })
})

test.each([
  ['resnet18', 11_181_642, 11_227_812],
  ['resnet50', 23_528_522, 23_712_932],
  ['bn_inception', 10_270_474, 10_362_724],
])('%s with 10 and 100 classes', (name, ten, hundred) => {
  expect(build(name, { numClasses: 10 }).parameterCount()).toBe(ten)
  expect(build(name, { numClasses: 100 }).parameterCount()).toBe(hundred)
})

describe('ReLUs in all, and erased by the rule', () => {
  test.each([
    ['resnet20', 19, 9],
    ['resnet32', 31, 15],
    ['resnet44', 43, 21],
    ['resnet56', 55, 27],
    ['resnet110', 109, 54],
    ['resnet164', 163, 54],
    ['resnet1001', 1000, 333],
    ['preact_resnet20', 19, 9],
    ['preact_resnet32', 31, 15],
    ['preact_resnet44', 43, 21],
    ['preact_resnet56', 55, 27],
    ['preact_resnet110', 109, 54],
    ['preact_resnet164', 163, 54],
    ['preact_resnet1001', 1000, 333],
    ['wrn_16_8', 13, 6],
    ['wrn_28_10', 25, 12],
    ['wrn_40_4', 37, 18],
    ['resnext29_8x64d', 28, 9],
    ['resnext29_16x64d', 28, 9],
    ['resnext29_32x4d', 28, 9],
    ['densenet_bc_100_12', 99, 48],
    ['densenet_bc_190_40', 189, 93],
    ['densenet_bc_250_24', 249, 123],
    ['resnet18', 17, 8],
    ['resnet34', 33, 16],
    ['resnet50', 49, 16],
    ['resnet101', 100, 33],
    ['resnet152', 151, 50],
    ['resnet200', 199, 66],
    ['preact_resnet18', 18, 8],
    ['preact_resnet34', 34, 16],
    ['preact_resnet50', 50, 16],
    ['preact_resnet101', 101, 33],
    ['preact_resnet152', 152, 50],
    ['preact_resnet200', 200, 66],
    ['bn_inception', 69, 36],
    ['densenet121', 121, 58],
    ['densenet169', 169, 82],
    ['densenet201', 201, 98],
    ['densenet161', 161, 78],
  ])('%s: %i, %i', (name, total, erased) => {
    const model = build(name)
    expect(eraseReLU(model).counts).toEqual({ total, erased, kept: total - erased })
  })
})

test.each(['resnet20', 'preact_resnet20', 'wrn_16_4', 'resnext29_32x4d', 'densenet_bc_40_12', 'bn_inception', 'vgg16_bn_cifar'])(
  '%s: erasing changes no parameter and no multiply-accumulate',
  name => {
    const model = build(name)
    const before = models.summarize(model, [1, 32, 32, 3])
    const names = [...model.stateDict().keys()]
    expect(eraseReLU(model).counts.erased).toBeGreaterThan(0)
    expect(models.summarize(model, [1, 32, 32, 3])).toEqual(before)
    expect([...model.stateDict().keys()]).toEqual(names)
  },
)
