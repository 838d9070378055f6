import { describe, expect, test } from 'vitest'
import { eraseReLU, type EraseOptions } from '../../src/erase.js'
import { f32, type Tensor } from '../../src/graph/tensor.js'
import { Trace, withTrace } from '../../src/graph/trace.js'
import * as models from '../../src/models/index.js'
import * as nn from '../../src/nn/index.js'

/** A basic module with chains of these lengths. */
class Block extends nn.BasicModule {
  readonly branches: nn.ReLU[][]
  constructor(...lengths: number[]) {
    super()
    this.branches = lengths.map(length => Array.from({ length }, () => new nn.ReLU()))
  }
  chains(): nn.ReLU[][] {
    return this.branches
  }
  forward(x: Tensor): Tensor {
    return this.branches.flat().reduce((y, relu) => relu(y), x)
  }
}

const net = (...blocks: nn.Module[]) => new nn.Sequential(new nn.ReLU(), ...blocks)
const erasedNames = (model: nn.Module, options?: EraseOptions) =>
  eraseReLU(model, options)
    .entries.filter(({ erased }) => erased)
    .map(({ name }) => name)

describe('location', () => {
  const model = () => net(new Block(2), new Block(3), new Block(4))
  test.each<[EraseOptions['location'], string[]]>([
    ['last', ['1.branches.0.1', '2.branches.0.2', '3.branches.0.3']],
    ['first', ['1.branches.0.0', '2.branches.0.0', '3.branches.0.0']],
    ['middle', ['2.branches.0.1', '3.branches.0.1']],
    [2, ['2.branches.0.2', '3.branches.0.2']],
  ])('%s', (location, names) => {
    expect(erasedNames(model(), location === undefined ? {} : { location })).toEqual(names)
  })

  test('every chain of a module', () => {
    expect(erasedNames(net(new Block(1, 2, 3)))).toEqual(['1.branches.0.0', '1.branches.1.1', '1.branches.2.2'])
  })

  test('a chain without it keeps its own, and the report says so', () => {
    const report = eraseReLU(model(), { location: 'middle' })
    expect(report.entries[1]).toEqual({
      name: '1.branches.0.0',
      module: '1',
      erased: false,
      reason: 'chain of 2 has no ReLU at location middle',
    })
  })
})

describe('proportion and select', () => {
  const treated = (n: number, options: EraseOptions) =>
    eraseReLU(net(...Array.from({ length: n }, () => new Block(2))), options).treated
  test.each<[number, EraseOptions, number[]]>([
    [4, { proportion: 0.5 }, [1, 3]],
    [9, { proportion: 0.25 }, [4, 8]],
    [9, { proportion: 0.5 }, [1, 3, 5, 7, 8]],
    [9, { proportion: 0.5, select: 'first' }, [0, 1, 2, 3, 4]],
    [9, { proportion: 0.5, select: 'last' }, [4, 5, 6, 7, 8]],
    [3, { proportion: 0 }, []],
    [3, { proportion: 1 }, [0, 1, 2]],
  ])('of %i modules, %o: %o', (n, options, expected) => {
    expect(treated(n, options)).toEqual(expected)
  })
})

test('keepFinal keeps the final ReLU of the last module, which counts as treated', () => {
  const model = () => net(new Block(2), new Block(2))
  expect(erasedNames(model(), { keepFinal: true })).toEqual(['1.branches.0.1'])
  expect(eraseReLU(model(), { keepFinal: true }).treated).toEqual([0, 1])
  expect(erasedNames(model(), { keepFinal: true, location: 'first' })).toEqual(['1.branches.0.0', '2.branches.0.0'])
})

test('a call sets the whole state', () => {
  const model = net(new Block(2), new Block(2))
  eraseReLU(model)
  expect(erasedNames(model, { location: 'first' })).toEqual(['1.branches.0.0', '2.branches.0.0'])
  expect(eraseReLU(model)).toEqual(eraseReLU(model))
  expect(eraseReLU(model, { proportion: 0 }).counts).toEqual({ total: 5, erased: 0, kept: 5 })
})

test('ReLUs outside any basic module, or in no chain, are kept', () => {
  class Half extends Block {
    other = new nn.ReLU()
  }
  const { entries } = eraseReLU(net(new Half(2)))
  expect(entries.map(({ name, reason }) => [name, reason])).toEqual([
    ['0', 'outside any basic module'],
    ['1.branches.0.0', 'another location'],
    ['1.branches.0.1', 'last of its chain'],
    ['1.other', 'in no chain of its module'],
  ])
})

test('a module is not left without any ReLU unless that is allowed', () => {
  const model = net(new Block(2), new Block(1))
  expect(() => eraseReLU(model)).toThrow(/would leave basic module '2' without any ReLU.*allowLinear/)
  expect(erasedNames(model, { proportion: 0 })).toEqual([])
  expect(erasedNames(model, { keepFinal: true })).toEqual(['1.branches.0.1'])
  expect(eraseReLU(model, { allowLinear: true }).counts.erased).toBe(2)
})

test('a refused call changes nothing', () => {
  const model = net(new Block(2), new Block(1))
  eraseReLU(model, { location: 'first', allowLinear: true })
  const state = () => Array.from(model.namedModules()).filter(([, module]) => module instanceof nn.ReLU && module.erased).length
  expect(state()).toBe(2)
  expect(() => eraseReLU(model)).toThrow()
  expect(state()).toBe(2)
})

describe('errors', () => {
  class Nested extends Block {
    inner = new Block(2)
  }
  class Foreign extends Block {
    override chains() {
      return [[new nn.ReLU()]]
    }
  }
  class Twice extends Block {
    override chains() {
      return [...super.chains(), ...super.chains()]
    }
  }
  test.each<[string, nn.Module, object, RegExp]>([
    ['proportion', net(new Block(2)), { proportion: 1.2 }, /proportion must be a number in \[0, 1\], got 1.2/],
    [
      'location',
      net(new Block(2)),
      { location: 'lst' },
      /location must be one of last, first, middle, got 'lst'. Did you mean 'last'/,
    ],
    ['negative index', net(new Block(2)), { location: -1 }, /location must be an integer of at least 0/],
    [
      'index out of range',
      net(new Block(2)),
      { location: 2 },
      /no basic module has a ReLU at location 2: the longest chain has 2/,
    ],
    ['unknown option', net(new Block(2)), { proporton: 1 }, /unknown option 'proporton'. Did you mean 'proportion'/],
    ['no basic module', net(), {}, /Sequential has no basic module/],
    ['nested', net(new Nested(2)), {}, /'1.inner' lies inside basic module '1'/],
    ['foreign ReLU', net(new Foreign(2)), {}, /chains\(\) of '1' lists a ReLU that no field of the model leads to/],
    ['ReLU in two chains', net(new Twice(2)), {}, /ReLU '1.branches.0.0' is listed twice/],
  ])('%s', (_, model, options, message) => {
    expect(() => eraseReLU(model, options)).toThrow(message)
  })
})

test('the report prints as a table', () => {
  expect(eraseReLU(net(new Block(2))).toString()).toBe(
    [
      'EraseReLU: 1 of 3 ReLUs erased, 2 kept; 1 of 1 basic modules treated (location last, proportion 1, select even)',
      '  0               kept    outside any basic module',
      '  1.branches.0.0  kept    another location',
      '  1.branches.0.1  erased  last of its chain',
    ].join('\n'),
  )
})

test('erasing removes the nodes and nothing else', () => {
  const ops = (model: nn.Module) => {
    const trace = new Trace(true)
    withTrace(trace, () => model(trace.input('x', f32([2, 16, 16, 3]))))
    return trace.graph.nodes.map(({ op, name }) => `${name} ${op}`)
  }
  const model = models.create('resnet20')
  const before = ops(model)
  const names = [...model.stateDict().keys()]
  const { entries } = eraseReLU(model)
  const gone = entries.filter(({ erased }) => erased).map(({ name }) => `${name} relu`)
  expect(ops(model)).toEqual(before.filter(op => !gone.includes(op)))
  expect([...model.stateDict().keys()]).toEqual(names)
  eraseReLU(model, { proportion: 0 })
  expect(ops(model)).toEqual(before)
})
