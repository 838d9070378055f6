// Writes an ONNX file (opset 13, f32): the messages of onnx.proto, whose field numbers stand below.
import { PbfWriter } from 'pbf'

type Attributes = Readonly<Record<string, number | readonly number[]>>
interface Node {
  op: string
  inputs: readonly string[]
  output: string
  attributes: Attributes
}
interface Value {
  name: string
  shape: readonly number[]
}
type Constant = Value & { data: Float32Array }

const FLOAT = 1
const INTEGER_ATTRIBUTE = 2
const INTEGERS_ATTRIBUTE = 7

export class OnnxGraph {
  private readonly nodes: Node[] = []
  private readonly constants: Constant[] = []

  /** Appends a node; returns the name of its output. */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const output = `${op}_${this.nodes.length}`
    this.nodes.push({ op, inputs, output, attributes })
    return output
  }

  /** Row-major data under a name. */
  constant(name: string, shape: readonly number[], data: Float32Array): string {
    this.constants.push({ name, shape, data })
    return name
  }

  encode(input: Value, output: Value): Uint8Array {
    const writer = new PbfWriter()
    writer.writeVarintField(1, 8) // ir_version
    writer.writeMessage(7, (graph: OnnxGraph, out: PbfWriter) => graph.write(out, input, output), this)
    writer.writeMessage(8, (opset: number, out: PbfWriter) => out.writeVarintField(2, opset), 13)
    return writer.finish()
  }

  private write(out: PbfWriter, input: Value, output: Value): void {
    for (const node of this.nodes) out.writeMessage(1, writeNode, node)
    out.writeStringField(2, 'graph')
    for (const constant of this.constants) out.writeMessage(5, writeConstant, constant)
    out.writeMessage(11, writeValue, input)
    out.writeMessage(12, writeValue, output)
  }
}

function writeNode({ op, inputs, output, attributes }: Node, out: PbfWriter): void {
  for (const input of inputs) out.writeStringField(1, input)
  out.writeStringField(2, output)
  out.writeStringField(4, op)
  for (const attribute of Object.entries(attributes)) out.writeMessage(5, writeAttribute, attribute)
}

function writeAttribute([name, value]: [string, number | readonly number[]], out: PbfWriter): void {
  out.writeStringField(1, name)
  if (typeof value === 'number') out.writeVarintField(3, value)
  else out.writePackedVarint(8, [...value])
  out.writeVarintField(20, typeof value === 'number' ? INTEGER_ATTRIBUTE : INTEGERS_ATTRIBUTE)
}

function writeConstant({ name, shape, data }: Constant, out: PbfWriter): void {
  out.writePackedVarint(1, [...shape])
  out.writeVarintField(2, FLOAT)
  out.writeStringField(8, name)
  out.writeBytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}

function writeValue({ name, shape }: Value, out: PbfWriter): void {
  out.writeStringField(1, name)
  out.writeMessage(2, writeType, shape)
}

function writeType(shape: readonly number[], out: PbfWriter): void {
  out.writeMessage(1, writeTensorType, shape)
}

function writeTensorType(shape: readonly number[], out: PbfWriter): void {
  out.writeVarintField(1, FLOAT)
  out.writeMessage(2, writeShape, shape)
}

function writeShape(shape: readonly number[], out: PbfWriter): void {
  for (const size of shape) out.writeMessage(1, (value: number, dim: PbfWriter) => dim.writeVarintField(1, value), size)
}
