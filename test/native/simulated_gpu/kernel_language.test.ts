/** What kernel.h does not let a kernel say, because the simulated GPU could not check it. */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const options = [
  '-std=c++17',
  '-DSIM_GPU',
  '-Inative',
  '-Itest/native',
  '-isystem',
  '.deps/cuda/include',
  '-fsyntax-only',
  '-xc++',
  '-',
]

/** What the compiler says about a kernel file with these lines. */
function complaintAbout(lines: string): string {
  return spawnSync('c++', options, { encoding: 'utf8', input: `#include "cuda/kernel.h"\n${lines}\n` }).stderr
}

test('arrays in shared memory are declared by SHARED_ARRAY', () => {
  expect(complaintAbout('__global__ void kernel() { SHARED_ARRAY(float, sums, 32); sums[0] = 1; }')).toBe('')
  expect(complaintAbout('__global__ void kernel() { __shared__ float sums[32]; sums[0] = 1; }')).toContain('__shared__')
})

test('a struct that is an argument lists its pointers', () => {
  const use = (member: string) => `
    struct Pair { int* a; int* b; ${member} };
    __global__ void kernel(Pair) {}
    void use(Pair pair) { eraserelu::launch(kernel, dim3(1), dim3(1), 0, nullptr, pair); }`
  expect(complaintAbout(use('template <typename Visit> void each_pointer(Visit visit) const { visit(a); visit(b); }'))).toBe('')
  expect(complaintAbout(use(''))).toContain('lists its pointers')
})
