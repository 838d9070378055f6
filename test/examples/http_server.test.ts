/** examples/http_server.ts under load: right answers, in batches, with a free event loop, and a clean end. */
import { Agent, request, type ClientRequest } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { data } from '../../src/index.js'
import { Example } from './run_example.js'

interface Answer {
  status: number
  text: string
}

const example = new Example('http_server', '0')
const clients = new Agent({ keepAlive: true, maxSockets: 100 })
const watcher = new Agent({ keepAlive: true, maxSockets: 1 })
const bytes = 28 * 28
let address: string
/** Some of each class. */
let images: Uint8Array[]

beforeAll(async () => {
  const part = (await data.open('fashion-mnist-sample')).test
  images = Array.from({ length: 40 }, (_, i) => part.images.slice(((i * part.size) / 40) * bytes).subarray(0, bytes))
  address = await example.says(/listening on (\S+)/)
})
afterAll(() => {
  example.kill('SIGKILL')
  clients.destroy()
  watcher.destroy()
})

function post(path: string): ClientRequest {
  return request(`${address}${path}`, { method: 'POST', agent: clients, headers: { 'content-length': bytes } })
}

function answerTo(sent: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject).on('response', response => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => void (text += part))
      response.on('error', reject).on('end', () => resolve({ status: response.statusCode!, text }))
    })
  })
}

const classify = (image: Uint8Array) => answerTo(post('/classify').end(image))

async function health(): Promise<{ status: string; runs: number }> {
  const { text } = await answerTo(request(`${address}/health`, { agent: watcher }).end())
  return JSON.parse(text) as { status: string; runs: number }
}

/** Asks for /health again and again while `work` lasts: what the work gave, the runs it took, and how long each answer took. */
async function watched<T>(work: Promise<T>): Promise<{ result: T; runs: number; milliseconds: number[] }> {
  const { runs } = await health()
  const milliseconds: number[] = []
  let over = false
  void work.finally(() => (over = true)).catch(() => undefined)
  while (!over) {
    const start = performance.now()
    expect((await health()).status).toBe('ok')
    milliseconds.push(performance.now() - start)
  }
  return { result: await work, runs: (await health()).runs - runs, milliseconds }
}

async function oneByOne(): Promise<Answer[]> {
  const answers: Answer[] = []
  for (const image of images) answers.push(await classify(image))
  return answers
}

test('many requests at once get the answers of one by one, bit for bit, in far fewer runs; /health answers all the time', async () => {
  const single = await watched(oneByOne())
  for (const { status } of single.result) expect(status).toBe(200)
  expect(new Set(single.result.map(({ text }) => text)).size).toBe(images.length)

  const among = Array.from({ length: 600 }, (_, i) => i % images.length)
  const together = await watched(Promise.all(among.map(i => classify(images[i]!))))
  expect(together.result).toEqual(among.map(i => single.result[i]))
  expect(together.runs).toBeLessThan(600 / 6)

  // Where a run blocks the event loop, /health is answered between two runs only: about twice a run.
  expect(single.milliseconds.length).toBeGreaterThan(4 * images.length)
  expect(Math.max(...together.milliseconds)).toBeLessThan(2000)
})

test('what is no image, or no address, is refused with a reason', async () => {
  const short = request(`${address}/classify`, { method: 'POST', agent: clients }).end(new Uint8Array(10))
  expect(await answerTo(short)).toEqual({ status: 400, text: expect.stringContaining('784 bytes, [28, 28, 1]') as string })
  const long = request(`${address}/classify`, { method: 'POST', agent: clients }).end(new Uint8Array(10 ** 6))
  expect((await answerTo(long)).status).toBe(400)
  const elsewhere = post('/predict').end(images[0])
  expect(await answerTo(elsewhere)).toEqual({ status: 404, text: expect.stringContaining('POST /classify') as string })
})

test('SIGTERM: a request that has begun is answered, new ones find nobody, exit code 0', async () => {
  const [expected] = await Promise.all([classify(images[0]!), health()])
  const begun = post('/classify')
  const answer = answerTo(begun)
  begun.write(images[0]!.subarray(0, 500))
  await new Promise(resolve => setTimeout(resolve, 200)) // until the server has read what was written
  example.kill('SIGTERM')
  await expect.poll(() => health().catch((error: unknown) => (error as NodeJS.ErrnoException).code)).toBe('ECONNREFUSED')
  begun.end(images[0]!.subarray(500))
  expect(await answer).toEqual(expected)
  expect(await example.ended).toBe(0)
  expect(example.printed).toMatch(/stopped after \d+ runs/)
})
