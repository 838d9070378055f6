// Builds the fuzzed image decoder with the address and undefined-behaviour sanitizers: with libFuzzer where `compiler` is clang.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../../..')

/** The program's path. Throws with what the compiler said. */
export function buildFuzzer(compiler, { libFuzzer }) {
  const folder = join(root, 'build', 'fuzz')
  mkdirSync(folder, { recursive: true })
  const program = join(folder, libFuzzer ? 'images_libfuzzer' : 'images_mutate')
  const input = name => join(root, 'native/input', `${name}.cc`)
  const pinned = join(root, '.deps/jpeg')
  const jpeg = existsSync(join(pinned, 'include/jpeglib.h'))
    ? [`-I${join(pinned, 'include')}`, join(pinned, 'lib/libjpeg.a')]
    : ['-ljpeg']
  const sources = [
    ...['decode', 'decode_jpeg', 'decode_png', 'decode_ppm', 'resample', 'view'].map(input),
    join(root, 'native/third_party/lodepng/lodepng.cpp'),
    join(root, 'test/native/fuzz/images.cc'),
    ...(libFuzzer ? [] : [join(root, 'test/native/fuzz/mutate.cc')]),
  ]
  const sanitizers = `-fsanitize=address,undefined${libFuzzer ? ',fuzzer' : ''}`
  const { status, stderr, error } = spawnSync(
    compiler,
    [
      ...['-std=c++17', '-g', '-O1', '-march=x86-64-v2', sanitizers, '-fno-sanitize-recover=all', `-I${join(root, 'native')}`],
      ...['COMPILE_ENCODER', 'COMPILE_DISK', 'COMPILE_ANCILLARY_CHUNKS'].map(part => `-DLODEPNG_NO_${part}`),
      ...[...sources, ...jpeg, '-o', program],
    ],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`${compiler}: ${error?.message ?? stderr}`)
  return program
}
