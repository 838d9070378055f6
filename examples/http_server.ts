/**
 * Classifies images over HTTP. Requests that are there together go through the network together: while one batch runs, off the
 * JavaScript thread, the next ones gather; what a batch lacks is filled up with zeros, which changes no other image's answer.
 *
 *     npx tsx examples/http_server.ts [port]           (0: any free port; default 8080)
 *     curl --data-binary @image.bin localhost:8080/classify      the 784 bytes of a 28x28 grey image
 *     curl localhost:8080/health
 *
 * SIGTERM and SIGINT: no new connections, what has arrived is answered, exit code 0.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  BatchNorm2d, compile, Conv2d, data, GlobalAvgPool, initialize, Linear, MaxPool2d, optim, ReLU, Sequential, Trainer, type Session,
} from 'eraserelu' // prettier-ignore

const source = await data.open('fashion-mnist-sample')
const { shape, numClasses, classNames } = source.train
const imageBytes = shape[0] * shape[1] * shape[2]
const batchSize = 64
const mostWaiting = 1024

/** A small network, trained for a second or two; a service would load the weights of a long training instead. */
async function trainedNetwork(): Promise<Sequential> {
  const layer = (from: number, to: number) => [
    new Conv2d(from, to, 3, { padding: 1 }),
    new BatchNorm2d(to),
    new ReLU(),
    new MaxPool2d(2),
  ]
  const model = initialize(new Sequential(...layer(1, 24), ...layer(24, 48), new GlobalAvgPool(), new Linear(48, numClasses)), 1)
  await using trainer = new Trainer(model, { data: source, batchSize: 50, epochs: 1, optimizer: optim.adamw({ lr: 0.01 }) })
  for await (const event of trainer.fit()) if (event.type === 'end') console.log(`trained: test accuracy ${event.test!.accuracy}`)
  return model
}

interface Waiting {
  image: Uint8Array
  resolve: (scores: number[]) => void
  reject: (error: unknown) => void
}

/** Gathers images that come one by one into batches for a session. */
class Batcher {
  readonly waiting: Waiting[] = []
  runs = 0
  private running = false

  constructor(private readonly session: Session) {}

  classify(image: Uint8Array): Promise<number[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ image, resolve, reject })
      if (!this.running) void this.runAll()
    })
  }

  private async runAll(): Promise<void> {
    this.running = true
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, batchSize)
      try {
        const images = new Float32Array(batchSize * imageBytes)
        batch.forEach(({ image }, i) => images.set(normalised(image), i * imageBytes))
        this.runs++
        const { output } = await this.session.run({ images })
        batch.forEach(({ resolve }, i) => resolve(Array.from(output!.data.slice(i * numClasses, (i + 1) * numClasses))))
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.running = false
  }
}

const normalised = (image: Uint8Array) => Float32Array.from(image, v => (v / 255 - source.mean[0]!) / source.std[0]!)

/** The body, or undefined when it is not exactly one image. */
async function imageOf(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const body = new Uint8Array(imageBytes)
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (size + chunk.length <= imageBytes) body.set(chunk, size)
    size += chunk.length
  }
  return size === imageBytes ? body : undefined
}

async function answer(request: IncomingMessage): Promise<[status: number, body: object]> {
  const { waiting, runs } = batcher
  if (request.url === '/health') return [200, { status: 'ok', waiting: waiting.length, runs }]
  if (request.url !== '/classify' || request.method !== 'POST')
    return [404, { error: 'there are POST /classify and GET /health' }]
  const image = await imageOf(request)
  if (!image) return [400, { error: `the body must be one image: ${imageBytes} bytes, [${shape.join(', ')}]` }]
  if (waiting.length >= mostWaiting) return [503, { error: 'too many requests are waiting: try again later' }]
  const scores = await batcher.classify(image)
  return [200, { class: classNames![scores.indexOf(Math.max(...scores))], scores }]
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [status, body] = await answer(request).catch((error: unknown) => [500, { error: String(error) }] as const)
  response.writeHead(status, { 'content-type': 'application/json', ...(stopping && { connection: 'close' }) })
  response.end(`${JSON.stringify(body)}\n`)
}

using session = await compile(await trainedNetwork(), { inputs: { images: { shape: [batchSize, ...shape] } } })
const batcher = new Batcher(session)
let stopping = false
const server = createServer((request, response) => void serve(request, response))
const closed = new Promise<void>(resolve => server.on('close', resolve))
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    stopping = true
    server.close()
  })
}
server.listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () =>
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`),
)
await closed
console.log(`stopped after ${batcher.runs} runs of the network`)
