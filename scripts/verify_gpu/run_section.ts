// Runs a section in a process of its own, so that a crash loses no more than the rest of this section.
import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { CaseResult, Message, Row, SectionResult } from './protocol.js'
import type { Settings } from './reporter.js'

/** A section that says nothing for so long is taken to hang: five times what the slowest case needs on a slow GPU. */
const silenceSeconds = 900

export interface Progress {
  /** A case has ended. */
  case(result: CaseResult): void
}

export function runSection(name: string, title: string, settings: Settings, progress: Progress): Promise<SectionResult> {
  const start = performance.now()
  const cases: CaseResult[] = []
  const rows: Row[] = []
  const notes: string[] = []
  let facts: Readonly<Record<string, unknown>> = {}
  let said = ''
  // The case under way, or the last one that ended.
  let current = name
  let ended = false
  let hung = false

  const child = fork(join(import.meta.dirname, 'section.mjs'), [name, settings.device, settings.small ? 'small' : 'full'], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  const silence = setTimeout(() => {
    hung = true
    child.kill('SIGKILL')
  }, silenceSeconds * 1000)
  const hear = (text: Buffer) => (said = (said + text.toString()).slice(-20_000))
  child.stdout!.on('data', hear)
  child.stderr!.on('data', hear)

  const add = (result: CaseResult) => {
    cases.push(result)
    progress.case(result)
  }
  child.on('message', (message: Message) => {
    silence.refresh()
    if (message.kind === 'begin') current = message.name
    if (message.kind === 'row') rows.push(message.row)
    if (message.kind === 'note') notes.push(message.text)
    if (message.kind === 'facts') facts = { ...facts, ...message.facts }
    if (message.kind === 'end') ended = true
    if (message.kind === 'case') {
      current = `after ${message.result.name}`
      add(message.result)
    }
  })

  return new Promise(resolve => {
    child.on('close', (code, signal) => {
      clearTimeout(silence)
      if (!ended || code !== 0) add({ name: current, status: 'failed', seconds: 0, message: crashText() })
      const count = (status: CaseResult['status']) => cases.filter(result => result.status === status).length
      const seconds = (performance.now() - start) / 1000
      const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') }
      resolve({ name, title, ...counts, seconds, cases, rows, notes, facts })

      function crashText(): string {
        const how = hung ? `said nothing for ${silenceSeconds} s and was ended` : `ended with ${signal ?? `exit code ${code}`}`
        return `the process of this section ${how}; what came after this case was not run.\n${said.trim()}`.trim()
      }
    })
  })
}
