// Finds the programs a build needs; a missing one is named together with the command that brings it.
import { spawnSync } from 'node:child_process'

/** Packages by tool: [Debian and Ubuntu, Fedora]. */
const packages = {
  'a C++ compiler': ['g++', 'gcc-c++'],
  'CMake 3.20 or newer': ['cmake', 'cmake'],
  'make or ninja': ['make', 'make'],
  'Python 3 with pip': ['python3 python3-pip', 'python3 python3-pip'],
}

/** Output of a command, or undefined when it cannot be run or fails. */
export function output(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' })
  return result.status === 0 ? result.stdout : undefined
}

/** Ends the process unless every wanted tool is there: `needTools({ 'a C++ compiler': true, … })`. */
export function needTools(present) {
  const missing = Object.keys(present).filter(tool => !present[tool])
  if (missing.length === 0) return
  const names = column => missing.map(tool => packages[tool][column]).join(' ')
  fail(
    `eraserelu's addon cannot be built: ${missing.join(' and ')} not found. Install with\n` +
      `  Debian, Ubuntu:  sudo apt-get install ${names(0)}\n` +
      `  Fedora:          sudo dnf install ${names(1)}`,
  )
}

export function fail(message) {
  console.error(message)
  process.exit(1)
}
