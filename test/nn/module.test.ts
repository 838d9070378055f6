import { inspect } from 'node:util'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { add, concat } from '../../src/graph/functions.js'
import { Trace, withTrace } from '../../src/graph/trace.js'
import { f32, type Tensor } from '../../src/graph/tensor.js'
import { Callable } from '../../src/nn/callable.js'
import * as nn from '../../src/nn/index.js'

class Unit extends nn.Module {
  conv = new nn.Conv2d(4, 4, 3, { padding: 1, bias: false })
  bn = new nn.BatchNorm2d(4)
  relu = new nn.ReLU()

  override forward(x: Tensor): Tensor {
    return this.relu(this.bn(this.conv(x)))
  }
}

class ScaledUnit extends Unit {
  scale = nn.parameter([1, 1, 1, 4], 'weight', nn.init.ones)
  override name = 'my unit'

  override forward(x: Tensor): Tensor {
    return add(super.forward(x), this.scale)
  }
}

class Net extends nn.Module {
  first = new Unit()
  grid = [new ScaledUnit(), [new Unit(), new nn.Identity()]] as const
  head = new nn.Sequential(new nn.GlobalAvgPool(), new nn.Linear(4, 2))
  offsets = [nn.parameter([2], 'bias', nn.init.zeros)] as const
  pair = new Pair()

  forward(x: Tensor): Tensor {
    const a = this.grid[0](this.first(x))
    const b = this.grid[1][1](this.grid[1][0](a))
    return this.head(this.pair(a, b))
  }
}

class Pair extends nn.Module {
  forward(a: Tensor, b: Tensor): Tensor {
    return this.mean(concat([a, b]))
  }
  mean = new nn.Conv2d(8, 4, 1)
}

/** Traces the model once and returns the trace. */
function trace(model: nn.Module, training = false): Trace {
  const open = new Trace(training)
  withTrace(open, () => model(open.input('x', f32([2, 8, 8, 4]))))
  return open
}

test('calling a module names the nodes after the path of fields', () => {
  const { graph, named } = trace(new Net())
  expect(graph.nodes.filter(({ op }) => op === 'conv2d').map(({ name }) => name)).toEqual([
    'first.conv',
    'grid.0.conv',
    'grid.1.0.conv',
    'pair.mean',
    'head.1',
  ])
  expect(named.get('grid.0')?.shape).toEqual([2, 8, 8, 4])
  expect(named.get('grid.1.0.relu')).toBe(named.get('grid.1.1'))
  expect(named.has('')).toBe(false)
})

test('the forward of a named model may be called directly', () => {
  const net = new Net()
  net.assignNames()
  const open = new Trace(false)
  withTrace(open, () => net.forward(open.input('x', f32([2, 8, 8, 4]))))
  expect([...open.named.keys()]).toEqual([...trace(net).named.keys()])
})

test('replaced parts are named anew', () => {
  const net = new Net()
  trace(net)
  net.first = new Unit()
  expect(trace(net).named.has('first.conv')).toBe(true)
})

test('a call has the types of the forward of its class', () => {
  expectTypeOf<Parameters<Pair>>().toEqualTypeOf<[a: Tensor, b: Tensor]>()
  expectTypeOf<Parameters<ScaledUnit>>().toEqualTypeOf<[x: Tensor]>()
  expectTypeOf<ReturnType<Unit>>().toEqualTypeOf<Tensor>()
  // @ts-expect-error a Pair needs two tensors
  const wrong = (pair: Pair, x: Tensor) => pair(x)
  expect(wrong).toBeTypeOf('function')
})

test('a module is an object of its class, fields called name and length included', () => {
  class Named extends nn.Identity {
    override readonly length = 3
  }
  const unit = new ScaledUnit()
  expect(unit).toBeInstanceOf(ScaledUnit)
  expect(unit).toBeInstanceOf(Unit)
  expect(unit).toBeInstanceOf(Callable)
  expect(unit.name).toBe('my unit')
  expect(new Named().length).toBe(3)
  expect(Object.keys(new Unit())).toEqual(['conv', 'bn', 'relu'])
  expect('name' in new Unit()).toBe(false)
})

test('names of modules and parameters follow the order of the fields', () => {
  const net = new Net()
  expect(Array.from(net.namedModules(), ([path]) => path)).toEqual([
    '',
    'first',
    'first.conv',
    'first.bn',
    'first.relu',
    'grid.0',
    'grid.0.conv',
    'grid.0.bn',
    'grid.0.relu',
    'grid.1.0',
    'grid.1.0.conv',
    'grid.1.0.bn',
    'grid.1.0.relu',
    'grid.1.1',
    'head',
    'head.0',
    'head.1',
    'pair',
    'pair.mean',
  ])
  expect([...net.first.stateDict().keys()]).toEqual(['conv.weight', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var'])
  expect([...net.stateDict().keys()]).toContain('offsets.0')
  expect([...net.children()].map(([name]) => name)).toEqual(['first', 'grid.0', 'grid.1.0', 'grid.1.1', 'head', 'pair'])
  net.assignNames()
  expect(net.grid[0].bn.running_var.name).toBe('grid.0.bn.running_var')
  expect(net.grid[0].scale.name).toBe('grid.0.scale')
})

test('parameterCount leaves out the running statistics', () => {
  expect(new Unit().parameterCount()).toBe(4 * 9 * 4 + 8)
  expect(new Unit().parameters()).toHaveLength(5)
})

test('what is reached twice is listed once', () => {
  class Shared extends nn.Module {
    a = new nn.Linear(4, 4)
    b = this.a
    weight = this.a.weight
    forward(x: Tensor): Tensor {
      return this.b(this.a(x))
    }
  }
  const shared = new Shared()
  expect([...shared.stateDict().keys()]).toEqual(['weight', 'a.bias'])
  expect(Array.from(shared.namedModules())).toHaveLength(2)
})

describe('errors', () => {
  test('a call outside a trace', () => {
    const unit = new Unit()
    expect(() => unit(undefined as unknown as Tensor)).toThrow(/only while a model is traced/)
  })

  test('a module that no field leads to', () => {
    class Hidden extends nn.Module {
      parts = new Map([['conv', new nn.Conv2d(4, 4, 1)]])
      forward(x: Tensor): Tensor {
        return this.parts.get('conv')!(x)
      }
    }
    class Outer extends nn.Module {
      inner = new Hidden()
      forward(x: Tensor): Tensor {
        return this.inner(x)
      }
    }
    expect(() => trace(new Outer())).toThrow(/^inner: forward calls a Conv2d that no field of the model leads to/)
    expect(() => trace(new Unit())).not.toThrow()
  })

  test('a wrong shape names the layer', () => {
    class Wrong extends nn.Module {
      conv = new nn.Conv2d(3, 4, 1)
      forward(x: Tensor): Tensor {
        return this.conv(x)
      }
    }
    expect(() => trace(new Wrong())).toThrow(/^conv \(conv2d\): the input has 4 channels/)
  })
})

test('a model prints as a tree', () => {
  expect(inspect(new Net().head)).toBe('Sequential(\n  (0): GlobalAvgPool()\n  (1): Linear(4, 2)\n)')
  expect(new Unit().toString()).toBe(
    [
      'Unit(',
      '  (conv): Conv2d(4, 4, kernel=3x3, stride=1x1, padding=1x1, bias=false)',
      '  (bn): BatchNorm2d(4, eps=0.00001, momentum=0.1)',
      '  (relu): ReLU()',
      ')',
    ].join('\n'),
  )
  expect(String(new Net())).toContain('  (grid.1.0): Unit(\n    (conv)')
})

describe('freeze', () => {
  const trainedOf = (model: nn.Module) =>
    Array.from(model.namedParameters()).flatMap(([name, { trainable }]) => (trainable ? [name] : []))

  test('takes what is below out of training, and only that; unfreeze gives it back', () => {
    const net = new Net()
    const all = trainedOf(net)
    expect(net.freeze()).toBe(net)
    expect(trainedOf(net)).toEqual([])
    net.grid[0].unfreeze()
    expect(trainedOf(net)).toEqual(['grid.0.scale', 'grid.0.conv.weight', 'grid.0.bn.weight', 'grid.0.bn.bias'])
    expect([net.first.bn.frozen, net.grid[0].bn.frozen]).toEqual([true, false])
    net.unfreeze()
    expect(trainedOf(net)).toEqual(all)
    expect(all).not.toContain('first.bn.running_mean')
    net.first.freeze()
    expect(trainedOf(net)).toEqual(all.filter(name => !name.startsWith('first.')))
  })

  test('frozen batch norms use the running statistics in training', () => {
    const ops = (model: nn.Module) => trace(model, true).graph.nodes.map(({ op }) => op)
    const net = new Net()
    expect(ops(net)).toContain('batchNorm')
    expect(ops(net.freeze())).not.toContain('batchNorm')
    expect(ops(net)).toContain('batchNormInfer')
    expect(ops(net.unfreeze())).toContain('batchNorm')
    expect(net.first.freeze().toString()).toContain('BatchNorm2d(4, eps=0.00001, momentum=0.1, frozen)')
  })
})
