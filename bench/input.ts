// npm run bench -- input: training images from JPEG files, read by this package, torchvision's DataLoader and sharp, in rounds, each time in a
// process of its own on so many processors (taskset).
import { spawnSync } from 'node:child_process'
import { appendFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { InvalidArgument } from '../src/runtime/errors.js'
import { findReaders } from './find_peers.js'
import type { ReadJob, Reading } from './peers/read_job.js'
import { pairedRatios, spread } from './statistics.js'
import { table } from './table.js'

export interface InputOptions {
  photographs: string
  rounds: number
  passes: number
  json?: string
}

const batch = 64

export async function compareInputs({ photographs, rounds, passes, json }: InputOptions): Promise<void> {
  if (json !== undefined) await appendFile(json, '')
  const { found, missing } = findReaders()
  for (const each of missing) console.log(`${each}\n`)
  const machine = { cpu: cpus()[0]?.model ?? 'unknown CPU', cores: cpus().length, node: process.version }
  console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`)
  const results = []
  for (const threads of [1, 2].filter(count => count <= machine.cores)) {
    const readings = new Map(found.map(({ name }) => [name, [] as Reading[]]))
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < found.length; i++) {
        // Another one starts each round, so that none always follows the same.
        const { name, command } = found[(i + round) % found.length]!
        console.error(`${threads} of the processors, round ${round + 1} of ${rounds}: ${name}`)
        readings.get(name)!.push(read(command, { folder: photographs, threads, batch, passes }))
      }
    }
    const rows = summary([...readings.values()])
    console.log(`\nImages from files, random-resized crop to 224x224, flip, bytes: processors 1 to ${threads}\n`)
    console.log(
      table(
        ['', 'images/s (median of rounds)', 'lowest - highest', 'a processor', 'speed of eraserelu relative to it'],
        rows.map(({ peer, imagesPerSecond: { median: middle, lowest, highest }, speed }) => [
          peer,
          middle.toFixed(0),
          `${lowest.toFixed(0)} - ${highest.toFixed(0)}`,
          (middle / threads).toFixed(0),
          speed ? `${speed.median.toFixed(2)} (${speed.lowest.toFixed(2)} - ${speed.highest.toFixed(2)})` : '',
        ]),
      ),
    )
    results.push({ threads, peers: rows })
  }
  if (json !== undefined) {
    const commandLine = ['npm run bench --', ...process.argv.slice(2)].join(' ')
    const report = { commandLine, date: new Date().toISOString(), ...machine, rounds, passes, batch, results }
    await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`)
  }
}

function read([command, ...args]: readonly [string, ...string[]], job: ReadJob): Reading {
  const processors = job.threads === 1 ? '0' : `0-${job.threads - 1}`
  const { status, stdout, stderr } = spawnSync('taskset', ['-c', processors, command, ...args, JSON.stringify(job)], {
    encoding: 'utf8',
    env: { ...process.env, UV_THREADPOOL_SIZE: String(job.threads) },
  })
  if (status !== 0)
    throw new InvalidArgument(`${args.at(-1)} failed: ${stderr?.trim().split('\n').at(-1) ?? 'taskset was not found'}`)
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Reading
}

/** A row a peer, this package first. */
function summary(readings: readonly (readonly Reading[])[]) {
  const rates = (list: readonly Reading[]) => list.map(({ imagesPerSecond }) => imagesPerSecond)
  const [ours] = readings
  return readings.map(list => ({
    peer: list[0]!.peer,
    imagesPerSecond: spread(rates(list)),
    speed: list === ours ? undefined : pairedRatios(rates(ours!), rates(list)),
  }))
}
