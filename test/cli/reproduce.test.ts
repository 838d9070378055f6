/** `eraserelu reproduce` on a few images: the plan, a study that is killed and goes on, its report, and what is refused. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, it } from 'vitest'
import type { Plan } from '../../src/cli/reproduce_run.js'
import { packageRoot } from '../../src/runtime/package_root.js'
import type { StudyResults } from '../../src/study/report.js'
import { fewImages } from './few_images.js'
import { runCli } from './run_cli.js'

let root: string
const at = (...names: string[]) => join(root, ...names)
const text = (...names: string[]) => readFile(at(...names), 'utf8')
const reproduce = (...words: string[]) => runCli(['reproduce', ...words], { cwd: root, env: { OMP_NUM_THREADS: '1' } })

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'eraserelu-reproduce-'))
  const images = await fewImages(at('images'), { train: 256, t10k: 100 })
  await writeFile(
    at('study.yaml'),
    `matrix: [{ models: [resnet20], proportions: [0, 1] }]
seeds: [1]
settings: { dataset: fashion-mnist, data-path: ${images}, train-images: 192, epochs: 4, model-kwargs: { width: 4 } }
`,
  )
})

it('plans: every run with its time, and nothing is written', async () => {
  const { code, stdout } = await reproduce('--config', 'study.yaml', '--seeds', '1-2', '--plan', '--json', '--jobs', '2')
  expect(code).toBe(0)
  const { runs, machineSeconds, seconds } = JSON.parse(stdout) as Plan
  expect(runs.map(({ name, epochsDone }) => [name, epochsDone])).toEqual([
    ['resnet20-baseline-seed1', 0], ['resnet20-last-100-seed1', 0], ['resnet20-baseline-seed2', 0], ['resnet20-last-100-seed2', 0],
  ]) // prettier-ignore
  expect(runs.every(run => run.seconds > 0)).toBe(true)
  expect(seconds).toBeLessThan(machineSeconds)
  expect(existsSync(at('runs'))).toBe(false)
})

/** Starts the study, and kills it, with no time to say anything to its trainings, after the first epoch of the second. */
function killMidway(): Promise<void> {
  const tsx = fileURLToPath(import.meta.resolve('tsx'))
  const words = [
    '--import',
    tsx,
    join(packageRoot(), 'src/cli/main.ts'),
    'reproduce',
    '--config',
    'study.yaml',
    '--output-dir',
    'killed',
  ]
  const child = spawn(process.execPath, words, {
    cwd: root,
    env: { ...process.env, OMP_NUM_THREADS: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    output += piece
    if (output.includes('resnet20-last-100-seed1: epoch 1/4')) child.kill('SIGKILL')
  })
  return new Promise(resolve => child.on('close', () => resolve()))
}

it('goes on after it was killed, to the same bytes, and does not repeat what is finished', async () => {
  await killMidway()
  expect((await readdir(at('killed', 'runs'))).sort()).toEqual(['resnet20-baseline-seed1', 'resnet20-last-100-seed1'])
  expect(existsSync(at('killed', 'results.json'))).toBe(false)
  const { code, stdout } = await reproduce('--output-dir', 'killed')
  expect([code, stdout]).toEqual([0, expect.stringMatching(/resnet20-baseline-seed1 +\| +4 of 4 \| +finished/)])
  expect(stdout).not.toContain('resnet20-baseline-seed1: training')
  expect(stdout).toContain('resnet20-last-100-seed1: done, 2 of 2')

  const whole = await reproduce('--config', 'study.yaml', '--output-dir', 'whole')
  expect(whole.code).toBe(0)
  for (const run of ['resnet20-baseline-seed1', 'resnet20-last-100-seed1'])
    for (const file of ['metrics.jsonl', 'summary.csv', 'last/model.safetensors'])
      expect(await readFile(at('killed', 'runs', run, file)), `${run}/${file}`).toEqual(
        await readFile(at('whole', 'runs', run, file)),
      )
  const arms = async (study: string) => (JSON.parse(await text(study, 'results.json')) as StudyResults).arms
  expect(await arms('killed')).toEqual(await arms('whole'))
}, 300_000)

it('reports: tables, differences, figures, and one page that needs nothing else', async () => {
  const { arms, finishedRuns } = JSON.parse(await text('whole', 'results.json')) as StudyResults
  const [baseline, erased] = arms
  expect([finishedRuns, baseline!.relus.kept, erased!.relus.kept]).toEqual([2, 19, 10])
  const difference = erased!.final.testAccuracy!.mean - baseline!.final.testAccuracy!.mean
  expect(erased!.difference.testAccuracy).toMatchObject({ count: 1, mean: difference })
  expect(erased!.runs[0]!.layers!.gradientsAfter).toHaveLength(9)
  expect(erased!.runs[0]!.layers!.active).toHaveLength(10)
  const summary = (await text('whole', 'runs', 'resnet20-last-100-seed1', 'summary.csv')).trimEnd().split('\n')
  expect(erased!.runs[0]!.epochs).toHaveLength(summary.length - 1)
  // 192 images are 3 steps an epoch.
  expect((await text('whole', 'runs', 'resnet20-last-100-seed1', 'metrics.jsonl')).trimEnd().split('\n')).toHaveLength(4 * 3)

  const markdown = await text('whole', 'report.md')
  expect(markdown).toContain(
    `| last ReLU erased, 100 % | 10 of 19 | 1 | ${(100 * erased!.final.testAccuracy!.mean).toFixed(2)} |`,
  )
  const figures = await readdir(at('whole', 'figures'))
  expect(figures.sort()).toEqual(['active-resnet20.svg', 'curves-resnet20.svg', 'gradients-resnet20.svg'])
  for (const figure of figures) {
    expect(markdown).toContain(`(figures/${figure})`)
    expect(await text('whole', 'figures', figure)).toMatch(/^<svg/)
  }
  const html = await text('whole', 'report.html')
  expect(html.match(/src="data:image\/svg\+xml;base64,/g)).toHaveLength(3)
  expect(html).not.toMatch(/(src|href)="(?!data:)/)
})

it('says also later which run failed and which were trained otherwise', async () => {
  // A run whose folder holds something else ends with an error.
  const foreign = at('failing', 'runs', 'resnet20-last-100-seed1')
  await mkdir(foreign, { recursive: true })
  await writeFile(join(foreign, 'mine.txt'), '')
  await writeFile(at('failing', 'study.yaml'), (await text('study.yaml')).replace('epochs: 4', 'epochs: 1'))
  const failing = await reproduce('--output-dir', 'failing')
  expect([failing.code, failing.stdout]).toEqual([1, expect.stringContaining('resnet20-last-100-seed1: failed: ')])
  const again = await reproduce('--output-dir', 'failing', '--report-only')
  expect(again.code).toBe(0)
  expect(await text('failing', 'report.md')).toContain('Ended with an error: resnet20-last-100-seed1 (see `logs/`).')
  await rm(foreign, { recursive: true })
  expect((await reproduce('--output-dir', 'failing', '--threads', '2')).code).toBe(0)
  const report = await text('failing', 'report.md')
  expect(report).not.toContain('Ended with an error')
  expect(report).toContain('threads: 1 in resnet20-baseline-seed1; 2 in resnet20-last-100-seed1.')
}, 300_000)

it('refuses other settings in the same folder, and a folder that holds no study', async () => {
  const other = await reproduce('--output-dir', 'whole', '--lr', '0.2')
  expect([other.code, other.stderr]).toEqual([
    2,
    expect.stringMatching(/^error: whole holds a study with other settings \(lr: not set -> 0.2\)/),
  ])
  await mkdir(at('other'))
  await writeFile(at('other', 'mine.txt'), '')
  const foreign = await reproduce('--output-dir', 'other')
  expect([foreign.code, foreign.stderr]).toEqual([2, expect.stringMatching(/other is not empty and holds no study/)])
  const nowhere = await reproduce('--config', 'study.yaml', '--locations', '7', '--output-dir', 'bad')
  expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringMatching(/no basic module has a ReLU at location 7/)])
  expect(existsSync(at('bad'))).toBe(false)
})
