/** What `train`, `eval` and `predict` answer to wrong words and files: a message, exit code 2, nothing written. */
import { mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runCli } from './run_cli.js'

const files = { 'config.yaml': 'lerning-rate: 1\n', 'damaged.safetensors': 'not this', 'image.png': 'nor this' }

it.each<[words: string, message: RegExp]>([
  ['train --momentom 0.9', /unknown option '--momentom'\n\(Did you mean --momentum\?\)/],
  ['train --opt sdg', /argument 'sdg' is invalid. It must be one of sgd, sgd_nesterov, adamw. Did you mean 'sgd'/],
  ['train --model-kwargs shortcut', /It must be name=value/],
  ['train --dataset fashion-mnist --data-path=', /'--data-path <folder>' argument '' is invalid. It must not be empty/],
  ['train --output-dir=', /'--output-dir <folder>' argument '' is invalid. It must not be empty/],
  ['train --resume=', /'--resume \[checkpoint\]' argument '' is invalid. It must not be empty/],
  ['eval nowhere --data-path=', /'--data-path <folder>' argument '' is invalid. It must not be empty/],
  ['train --config config.yaml', /config.yaml: unknown key 'lerning-rate'/],
  ['train --resume nowhere', /--resume nowhere: there is no such checkpoint or run folder/],
  ['train --erase 5', /no basic module has a ReLU at location 5/],
  ['train --weights damaged.safetensors', /damaged.safetensors is not a sound safetensors file/],
  ['train --batch-size 100000', /batchSize 100000 is larger than the 6000 images/],
  ['train --precision f16', /precision 'f16' needs a device 'cuda'; on 'cpu' use 'f32' or 'bf16'/],
  ['train --precision f64', /argument 'f64' is invalid. It must be one of f32, tf32, bf16, f16/],
  ['train --memory lwo', /argument 'lwo' is invalid. It must be one of normal, low. Did you mean 'low'/],
  ['bench resnet20 --memory low --infer', /bench: --memory low is for training/],
  ['profile resnet20 --memory low --disable-pass recompute', /profile: memory 'low' is the work of the pass 'recompute'/],
  ['eval', /missing required argument 'weights'/],
  ['eval nowhere', /nowhere: there is no such run folder, checkpoint or weights file/],
  ['eval damaged.safetensors', /damaged.safetensors is not a sound safetensors file/],
  ['eval nowhere --device gpu', /--device must be one of cpu/],
  ['eval nowhere --workspace-limit -1', /argument '-1' is invalid. It must be an integer of at least 0/],
  ['predict nowhere --autotun', /unknown option '--autotun'\n\(Did you mean --autotune\?\)/],
  ['bench resnet20 --workspace-limit 1.5', /argument '1.5' is invalid. It must be an integer of at least 0/],
  ['predict damaged.safetensors', /name the images: either files, or --index/],
  ['predict damaged.safetensors image.png --dataset fashion-mnist', /--dataset is for --index/],
  ['predict damaged.safetensors --index 3-1', /such as 0,3,5-9/],
])('%s', async (words, message) => {
  const cwd = await mkdtemp(join(tmpdir(), 'eraserelu-usage-'))
  for (const [name, content] of Object.entries(files)) await writeFile(join(cwd, name), content)
  const { code, stdout, stderr } = await runCli(words.split(' '), { cwd })
  expect(stderr).toMatch(message)
  expect(stderr).toMatch(/^error: /)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stdout).toBe('')
  expect(code).toBe(2)
  expect((await readdir(cwd)).sort()).toEqual(Object.keys(files).sort())
})
