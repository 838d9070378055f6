// The process of one section: section.mjs NAME DEVICE full|small. It tells its parent what it does; what it prints is kept for the report.
import type { Message } from './protocol.js'
import { Reporter } from './reporter.js'
import { sections, type SectionName } from './sections/index.js'

const [name, device = 'cuda', size] = process.argv.slice(2)
const send = (message: Message) => void process.send?.(message)
const reporter = new Reporter({ device, small: size === 'small' }, send)

process.on('warning', warning => reporter.note(`${warning.name}: ${warning.message}`))
await sections[name as SectionName].run(reporter)
send({ kind: 'end' })
process.disconnect()
