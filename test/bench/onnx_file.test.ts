import { PbfReader } from 'pbf'
import { expect, it } from 'vitest'
import { OnnxGraph } from '../../bench/peers/onnxruntime/onnx_file.js'
import { channelsFirst } from '../../bench/peers/onnxruntime/resnet50.js'

/** Fields of a message by number, nested ones as bytes. */
function fieldsOf(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const fields = new Map<number, (number | Uint8Array)[]>()
  const add = (tag: number, _: null, reader: PbfReader) => {
    const value = reader.type === 2 ? reader.readBytes() : reader.readVarint()
    fields.set(tag, [...(fields.get(tag) ?? []), value])
  }
  new PbfReader(bytes).readFields(add, null)
  return fields
}

it('brings filters from [K, R, S, C] to [K, C, R, S] and leaves the rest', () => {
  const data = Float32Array.from({ length: 2 * 1 * 3 * 2 }, (_, i) => i)
  const turned = channelsFirst({ shape: [2, 1, 3, 2], data })
  expect(turned.shape).toEqual([2, 2, 1, 3])
  expect([...turned.data]).toEqual([0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11])
  expect(channelsFirst({ shape: [12], data })).toEqual({ shape: [12], data })
})

it('writes nodes, constants, input and output where onnx.proto has them', () => {
  const graph = new OnnxGraph()
  const scale = graph.constant('scale', [1, 2], Float32Array.of(3, 4))
  const y = graph.node('Mul', ['x', scale], { axis: 1, pads: [1, 2] })
  const model = fieldsOf(graph.encode({ name: 'x', shape: [1, 2] }, { name: y, shape: [1, 2] }))
  const content = fieldsOf(model.get(7)![0] as Uint8Array)
  const text = (value: number | Uint8Array | undefined) => Buffer.from(value as Uint8Array).toString()

  const node = fieldsOf(content.get(1)![0] as Uint8Array)
  expect(node.get(1)!.map(text)).toEqual(['x', 'scale'])
  expect(text(node.get(2)![0])).toBe(y)
  expect(text(node.get(4)![0])).toBe('Mul')
  expect(node.get(5)!.map(each => text(fieldsOf(each as Uint8Array).get(1)![0]))).toEqual(['axis', 'pads'])
  const constant = fieldsOf(content.get(5)![0] as Uint8Array)
  expect([...(constant.get(1)![0] as Uint8Array)]).toEqual([1, 2])
  expect(constant.get(9)![0]).toEqual(new Uint8Array(Float32Array.of(3, 4).buffer))
  expect([content.get(11)!, content.get(12)!].map(([value]) => text(fieldsOf(value as Uint8Array).get(1)![0]))).toEqual(['x', y])
})
