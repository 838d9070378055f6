// How a section says what it does: cases, measurements, notes.
import type { CaseResult, Message, Row } from './protocol.js'

/** Thrown by a case that cannot be run here; the message says why. */
export class Skip extends Error {}

export interface Settings {
  readonly device: string
  /** Sizes for the simulated GPU. */
  readonly small: boolean
}

export class Reporter {
  constructor(
    readonly settings: Settings,
    private readonly send: (message: Message) => void,
  ) {}

  /** Runs a case; what it throws is its failure. Returns what the case did, or undefined. */
  async case<T>(name: string, body: () => Promise<T> | T): Promise<T | undefined> {
    this.send({ kind: 'begin', name })
    const start = performance.now()
    const finish = (result: Pick<CaseResult, 'status' | 'message'>) =>
      this.send({ kind: 'case', result: { name, seconds: (performance.now() - start) / 1000, ...result } })
    try {
      const value = await body()
      finish({ status: 'passed' })
      return value
    } catch (error) {
      if (error instanceof Skip) finish({ status: 'skipped', message: error.message })
      else finish({ status: 'failed', message: textOf(error) })
      return undefined
    }
  }

  skip(name: string, reason: string): void {
    this.send({ kind: 'case', result: { name, status: 'skipped', seconds: 0, message: reason } })
  }

  row(row: Row): void {
    this.send({ kind: 'row', row })
  }

  note(text: string): void {
    this.send({ kind: 'note', text })
  }

  facts(facts: Readonly<Record<string, unknown>>): void {
    this.send({ kind: 'facts', facts })
  }
}

/** An error in full: code, message, where it was thrown, and what caused it. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { code?: unknown }
  const head = typeof code === 'string' ? `${code}: ${error.message}` : error.message
  const frames = error.stack?.split('\n').filter(line => /^\s+at /.test(line)) ?? []
  const cause = error.cause === undefined ? [] : [`caused by: ${textOf(error.cause)}`]
  return [head, ...frames.slice(0, 4), ...cause].join('\n')
}
