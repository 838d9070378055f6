import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { drawComparison } from '../../bench/comparison_chart.js'
import { openComparison, withRow, writeComparison, type ComparisonReport } from '../../bench/comparison_folder.js'
import { detailTable, summaryTable, type PeerResult, type WorkloadResult } from '../../bench/comparison_tables.js'
import { spread } from '../../bench/statistics.js'
import { InvalidArgument } from '../../src/runtime/errors.js'

const row = (peer: string, milliseconds: number, more: Partial<PeerResult> = {}): PeerResult => ({
  peer,
  own: false,
  threads: 2,
  milliseconds: spread([milliseconds]),
  imagesPerSecond: 128_000 / milliseconds,
  peakBytes: milliseconds * 1e6,
  speed: { median: milliseconds / 100, lowest: milliseconds / 125, highest: milliseconds / 80 },
  samples: [[milliseconds]],
  ...more,
})

const ours: PeerResult = {
  peer: 'eraserelu (oneDNN)',
  own: true,
  threads: 2,
  milliseconds: spread([100]),
  imagesPerSecond: 1280,
  peakBytes: 100e6,
  samples: [[100]],
}

const training: WorkloadResult = {
  row: 'resnet20',
  task: 'train',
  precision: 'f32',
  model: 'resnet20',
  batch: 128,
  size: 32,
  peers: [
    ours,
    row('eraserelu, last ReLUs erased', 95, { own: true }),
    row('its convolutions alone', 80, { own: true }),
    row('PyTorch eager', 150),
    row('PyTorch torch.compile', 140),
  ],
}

const cellsOf = (table: string) => table.split('\n').map(line => line.split('|').map(cell => cell.trim()))

describe('the report of a comparison', () => {
  it('compares with the fastest other form, never with another measurement of this package', () => {
    const [, , cells] = cellsOf(summaryTable([training]))
    expect(cells!.slice(2, 6)).toEqual(['100.0', '140.0 (PyTorch torch.compile)', '1.40 (1.12 - 1.75)', '0.71'])
  })

  it('divides the time of the erased by that of the published, and the step by its convolutions', () => {
    const [, , cells] = cellsOf(summaryTable([training]))
    expect(cells!.slice(6, 8)).toEqual(['0.95 (0.76 - 1.19)', '1.25 (1.00 - 1.56)'])
  })

  it("names the memory of memory: 'low' beside that of the other library", () => {
    const peers = [...training.peers, row("eraserelu, memory: 'low'", 105, { own: true, peakBytes: 70e6 })]
    const [, , cells] = cellsOf(summaryTable([{ ...training, peers }]))
    expect(cells![5]).toBe("0.71; 0.50 with memory: 'low'")
  })

  it('leaves cells empty where nothing else was measured', () => {
    const [, , cells] = cellsOf(summaryTable([{ ...training, peers: training.peers.slice(0, 1) }]))
    expect(cells!.slice(2, 8)).toEqual(['100.0', '', '', '', '', ''])
  })

  it('shows the difference of outputs for inferences only', () => {
    expect(detailTable(training)).not.toContain('difference of outputs')
    const inference = {
      ...training,
      task: 'infer' as const,
      peers: [training.peers[0]!, row('onnxruntime', 90, { difference: 2e-6 })],
    }
    expect(detailTable(inference)).toContain('| 0.90 (0.72 - 1.13) | 2e-6 |')
  })

  it('draws one mark a peer, and none for this package', async () => {
    const svg = await drawComparison([training], 'a machine')
    expect(svg).toContain('PyTorch torch.compile')
    expect(svg).not.toContain('its convolutions alone')
    expect(svg).toContain('training step of resnet20, batch 128, 32x32')
  })
})

describe('the folder of a comparison', () => {
  const machine = { cpu: 'a processor', cores: 2, threads: 2, node: 'v20' }
  const how = { commandLine: 'npm run bench', date: '2026-12-01T00:00:00Z', commit: undefined, rounds: 7, steps: 12 }
  const second = { ...training, row: 'resnet50', model: 'resnet50' }

  it('takes rows one by one, in the order of the table; one that is measured again replaces what was there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'comparison-'))
    try {
      const record = async (row: WorkloadResult) => {
        const report = withRow(await openComparison(folder, machine), { ...row, ...how }, ['resnet20', 'resnet50'])
        await writeComparison(folder, report)
      }
      await record(second)
      await record(training)
      const again = { ...second, peers: [ours, row('PyTorch eager', 300)] }
      await record(again)
      const { results } = JSON.parse(await readFile(join(folder, 'bench.json'), 'utf8')) as ComparisonReport
      expect(results).toEqual([
        { ...training, ...how },
        { ...again, ...how },
      ])
      const page = await readFile(join(folder, 'bench.md'), 'utf8')
      expect(page.indexOf('of resnet20')).toBeLessThan(page.indexOf('of resnet50'))
      expect(await readFile(join(folder, 'bench.svg'), 'utf8')).toContain('a processor, 2 threads; 7 rounds, 2026-12-01')
      await expect(openComparison(folder, { ...machine, threads: 4 })).rejects.toThrow(InvalidArgument)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
