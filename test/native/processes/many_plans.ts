/**
 * Makes plans, runs each once, and prints the process's memory (V8's heap left out) after some and after all of them. Disposes them, or with the
 * argument 'forget' leaves them to the garbage collector.
 */
import { compile, models } from '../../../src/index.js'
import { GlobalAvgPool, Sequential } from '../../../src/nn/index.js'

const forget = process.argv[2] === 'forget'
const shape = forget ? [64, 128, 128, 3] : [8, 16, 16, 3]
const resnet = new Sequential(models.create('resnet20', { numClasses: 4 }))
const small = new Sequential(new GlobalAvgPool())
const x = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i))
const [some, all] = forget ? [20, 120] : [50, 200]
const memory = []
for (let i = 1; i <= all; i++) {
  const session = await compile(i % 4 === 0 && !forget ? resnet : small, { inputs: { x: { shape } } })
  await session.run({ x })
  if (!forget) session.dispose()
  if (i === some || i === all) {
    for (let round = 0; round < 5; round++) {
      globalThis.gc?.()
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    const { rss, heapTotal, external } = process.memoryUsage()
    memory.push({ native: rss - heapTotal, external })
  }
}
console.log(JSON.stringify(memory))
