// Training images from files with this package: decoded, random-resized crop to 224x224, flip, u8 [N, H, W, C].
import { imageFolder } from '../../../src/data/image_folder.js'
import { trainFeedOf } from '../../../src/train/feeds.js'
import { readReadJob, reportReading } from '../read_job.js'

const { folder, threads, batch, passes } = readReadJob()
const feed = trainFeedOf(await imageFolder(folder, { workers: threads }), {
  batchSize: batch, seed: 1, accumulate: 1, mixup: 0, cutmix: 0,
}) // prettier-ignore

async function pass(epoch: number): Promise<number> {
  let images = 0
  for await (const { count } of feed.batches(epoch)) images += count
  return images
}

await pass(0)
const start = performance.now()
let images = 0
for (let epoch = 1; epoch <= passes; epoch++) images += await pass(epoch)
reportReading({ peer: 'eraserelu', imagesPerSecond: (images / (performance.now() - start)) * 1000 })
