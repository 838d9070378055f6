/** The diagrams of `eraserelu info`: drawn from the traced graph, so they are what the networks compute. */
import { expect, it } from 'vitest'
import { drawModules } from '../../src/cli/draw_module.js'
import { eraseReLU, type EraseOptions } from '../../src/erase.js'
import { add, concat } from '../../src/graph/functions.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { Classifier } from '../../src/models/classifier.js'
import { moduleKinds } from '../../src/models/module_kinds.js'
import { build } from '../../src/models/registry.js'
import * as nn from '../../src/nn/index.js'

function drawn(model: Classifier, erase?: EraseOptions, unicode = false): string {
  if (erase) eraseReLU(model, erase)
  const relus = () => Array.from(model.namedModules(), ([, module]) => module instanceof nn.ReLU && module.erased)
  const before = relus()
  const text = drawModules(moduleKinds(model).kinds, { unicode })
  expect(relus()).toEqual(before)
  return text
}

it('draws residual blocks, with and without a layer in the shortcut', () => {
  expect(drawn(build('resnet20'), { location: 'last', proportion: 0.5 })).toBe(`\
BasicBlock: 7 of 9 modules (0-2,4-5,7-8); ReLUs erased in 1,5,7-8
  x - conv1 3x3 - bn1 - relu1 - conv2 3x3 - bn2 - + - (relu2)
  \`-----------------------------------------------'

BasicBlock: 2 of 9 modules (3,6); ReLUs erased in 3
  x - conv1 3x3 - bn1 - relu1 - conv2 3x3 - bn2 - + - (relu2)
  \`-- downsample ---------------------------------'

`)
  expect(drawn(build('resnet50'), undefined, true)).toContain(`\
Bottleneck: 4 of 16 modules (0,3,7,13); ReLUs erased in none
  x ─ conv1 1x1 ─ bn1 ─ relu1 ─ conv2 3x3 ─ bn2 ─ relu2 ─ conv3 1x1 ─ bn3 ─ + ─ relu3
  └── conv 1x1 ─ bn ────────────────────────────────────────────────────────┘
`)
})

it('draws a shortcut that leaves behind the first ReLU, from the ReLU even where it is erased; and dropout', () => {
  expect(drawn(build('wrn_16_4', { dropout: 0.3 }), { location: 'first' })).toBe(`\
PreActBasicBlock: 3 of 6 modules (0,2,4); ReLUs erased in all
  x - bn1 - (relu1) - conv1 3x3 - bn2 - relu2 - dropout - conv2 3x3 - +
                  \`-- downsample 1x1 ---------------------------------'

PreActBasicBlock: 3 of 6 modules (1,3,5); ReLUs erased in all
  x - bn1 - (relu1) - conv1 3x3 - bn2 - relu2 - dropout - conv2 3x3 - +
  \`-------------------------------------------------------------------'

`)
})

it('draws the branches of Inception modules, and tells apart those that pool otherwise', () => {
  expect(drawn(build('bn_inception'), { location: 'last' }, true)).toBe(`\
Inception: 7 of 10 modules (0-1,3-6,8); ReLUs erased in all
  x ─ conv 1x1 ─ bn ─ relu ─ conv 3x3 ─ bn ─ relu ─ conv 3x3 ─ bn ─ (relu) ─ concat
  ├── conv 1x1 ─ bn ─ (relu) ────────────────────────────────────────────────┤
  ├── conv 1x1 ─ bn ─ relu ─ conv 3x3 ─ bn ─ (relu) ─────────────────────────┤
  └── avgpool ─ conv 1x1 ─ bn ─ (relu) ──────────────────────────────────────┘

Inception: 2 of 10 modules (2,7); ReLUs erased in all
  x ─ conv 1x1 ─ bn ─ relu ─ conv 3x3 ─ bn ─ relu ─ conv 3x3 ─ bn ─ (relu) ─ concat
  ├── conv 1x1 ─ bn ─ relu ─ conv 3x3 ─ bn ─ (relu) ─────────────────────────┤
  └── reductionpool ─────────────────────────────────────────────────────────┘

Inception: 1 of 10 modules (9); ReLUs erased in all
  x ─ conv 1x1 ─ bn ─ relu ─ conv 3x3 ─ bn ─ relu ─ conv 3x3 ─ bn ─ (relu) ─ concat
  ├── conv 1x1 ─ bn ─ (relu) ────────────────────────────────────────────────┤
  ├── conv 1x1 ─ bn ─ relu ─ conv 3x3 ─ bn ─ (relu) ─────────────────────────┤
  └── maxpool ─ conv 1x1 ─ bn ─ (relu) ──────────────────────────────────────┘

`)
})

it('draws layers that have numbers for names, and dense layers', () => {
  expect(drawn(build('vgg16_bn'), { location: 'last', keepFinal: true })).toBe(`\
VGGGroup: 2 of 5 modules (0-1); ReLUs erased in all
  x - conv 3x3 - bn - relu - conv 3x3 - bn - (relu)

VGGGroup: 3 of 5 modules (2-4); ReLUs erased in 2-3
  x - conv 3x3 - bn - relu - conv 3x3 - bn - relu - conv 3x3 - bn - (relu)

`)
  expect(drawn(build('densenet121'), { location: 'last' })).toBe(`\
DenseLayer: 58 of 58 modules (0-57); ReLUs erased in all
  x - norm1 - relu1 - conv1 1x1 - norm2 - (relu2) - conv2 3x3 - concat
  \`-------------------------------------------------------------'

`)
})

/** A branch with a shortcut of its own, two shortcuts from the input, and a way that does not come back. */
class Nested extends nn.BasicModule {
  a = new nn.ReLU()
  conv = new nn.Conv2d(4, 4, [1, 3], { padding: [0, 1] })
  pool = new nn.MaxPool2d(3, { stride: 1, padding: 1 })
  again = new nn.MaxPool2d(3, { stride: 1, padding: 1 })
  b = new nn.ReLU()
  unused = new nn.ReLU()
  chains() {
    return [[this.a], [this.b]]
  }
  forward(x: Tensor) {
    const y = this.conv(this.a(x))
    const p = this.pool(x)
    const q = this.b(add(p, this.again(p)))
    this.unused(x)
    return concat([y, add(q, x), x])
  }
}

class Net extends Classifier {
  readonly imageSize = 8
  block = new Nested()
  avgpool = new nn.GlobalAvgPool()
  head = new nn.Linear(12, 2)
  constructor() {
    super('net', 4, 2, {})
  }
  forward(x: Tensor) {
    return this.head(this.avgpool(this.block(x)))
  }
}

it('draws modules of any form', () => {
  expect(drawn(new Net(), { location: 'first', allowLinear: true }, true)).toBe(`\
Nested: 1 of 1 modules (0); ReLUs erased in all
  x ─ pool ─ again ─ + ─ (b) ─ + ─ concat
  │      └───────────┘         │   │
  ├────────────────────────────┘   │
  ├── (a) ─ conv 1x3 ──────────────┤
  ├────────────────────────────────┘
  └── unused

`)
})
