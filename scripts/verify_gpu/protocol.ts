// What a section's process tells the process that started it, and what the report holds of it.

export type Status = 'passed' | 'failed' | 'skipped'

export interface CaseResult {
  readonly name: string
  readonly status: Status
  readonly seconds: number
  /** The failure, verbatim, or why it was skipped. */
  readonly message?: string
}

/** A measurement: one row of a section's table. Columns by their headings, in order. */
export type Row = Readonly<Record<string, string | number>>

export type Message =
  | { readonly kind: 'begin'; readonly name: string }
  | { readonly kind: 'case'; readonly result: CaseResult }
  | { readonly kind: 'row'; readonly row: Row }
  /** Something to be known that is no failure: a rejected engine, a missing peer. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'facts'; readonly facts: Readonly<Record<string, unknown>> }
  | { readonly kind: 'end' }

/** What came of a section. */
export interface SectionResult {
  readonly name: string
  readonly title: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly seconds: number
  readonly cases: readonly CaseResult[]
  readonly rows: readonly Row[]
  readonly notes: readonly string[]
  readonly facts: Readonly<Record<string, unknown>>
}
