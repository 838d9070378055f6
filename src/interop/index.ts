/** Weights in files that PyTorch and others read and write. */
export { LoadReport, type ShapeMismatch } from './load_report.js'
export type { FilterLayout } from './filter_layout.js'
export { loadWeights, type LoadWeightsOptions } from './load_weights.js'
export { saveWeights, type SaveWeightsOptions } from './save_weights.js'
