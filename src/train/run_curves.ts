/** The curves of one training: what was measured on the training and on the test images, over the epochs. */
import { drawCurves, type ChartOptions, type Curve } from './chart.js'

/** What was measured after an epoch; accuracies are fractions, 0 … 1. */
export interface EpochRow {
  epoch: number
  trainLoss: number
  trainAccuracy?: number | undefined
  testLoss?: number | undefined
  testAccuracy?: number | undefined
}

/** SVG: accuracy and loss, a line each for training and test. Needs at least one row; works without test images. */
export function drawRunCurves(rows: readonly EpochRow[], options: Pick<ChartOptions, 'title' | 'subtitle'>): Promise<string> {
  const training = rows.map(({ epoch, trainAccuracy, trainLoss }) => ({ epoch, accuracy: trainAccuracy, loss: trainLoss }))
  const test = rows.map(({ epoch, testAccuracy, testLoss }) => ({ epoch, accuracy: testAccuracy, loss: testLoss }))
  const tested = test.filter(({ loss }) => loss !== undefined)
  const curves = [curve('training', training), ...(tested.length > 0 ? [curve('test', tested)] : [])]
  return drawCurves(curves, { ...options, panelTitles: { accuracy: 'Accuracy', loss: 'Loss' } })
}

type Point = Record<'accuracy' | 'loss', number | undefined> & { epoch: number }

const curve = (name: string, points: readonly Point[]): Curve => ({
  name,
  epochs: points.map(({ epoch }) => epoch),
  accuracy: points.map(({ accuracy }) => accuracy ?? NaN),
  loss: points.map(({ loss }) => loss ?? NaN),
})
