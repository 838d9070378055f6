// Inferences of ResNet-50 with this package, copies from and to the host included.
import { compile } from '../../../src/graph/session.js'
import { loadWeights } from '../../../src/interop/index.js'
import { create } from '../../../src/models/index.js'
import { deviceInfo } from '../../../src/runtime/devices.js'
import { images, readJob, report, time } from '../job.js'

const job = readJob()
const model = create('resnet50')
await loadWeights(model, job.weights)
using session = await compile(model, { inputs: { x: { shape: [job.batch, job.size, job.size, 3] } }, precision: job.precision })
const x = images(job)
const { milliseconds, last } = await time(job, () => session.run({ x }))
const { library, instructions, threads } = deviceInfo()
report({ peer: `eraserelu (${library}, ${instructions})`, threads, milliseconds, output: [...last.output!.data] })
