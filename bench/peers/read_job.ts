// What the bench of inputs asks of a peer's process (JSON, the first argument) and what that prints as its last line.
export interface ReadJob {
  /** With train/CLASS/*.jpg. */
  readonly folder: string
  /** Of decoding; the process runs on as many processors. */
  readonly threads: number
  /** Images. */
  readonly batch: number
  /** How often all images are read after a first pass that is not measured. */
  readonly passes: number
}

export interface Reading {
  /** Library, version and form. */
  readonly peer: string
  readonly imagesPerSecond: number
}

export const readReadJob = (): ReadJob => JSON.parse(process.argv[2] ?? '') as ReadJob

export const reportReading = (reading: Reading): void => console.log(JSON.stringify(reading))
