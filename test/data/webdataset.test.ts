/** WebDataset: which samples are found in tar files, with which classes, and what is said of files that are otherwise. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { webDataset, type ImageFileSet } from '../../src/data/index.js'
import { InvalidArgument } from '../../src/runtime/errors.js'
import { samplesOf, tarOf, type Entry } from './tar_files.js'

let folder: string
let cacheBefore: string | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eraserelu-tar-'))
  cacheBefore = process.env.ERASERELU_CACHE
  process.env.ERASERELU_CACHE = join(folder, 'cache')
})
afterEach(() => {
  if (cacheBefore === undefined) delete process.env.ERASERELU_CACHE
  else process.env.ERASERELU_CACHE = cacheBefore
  rmSync(folder, { recursive: true, force: true })
})

const place = (name: string, entries: readonly Entry[] | Buffer): string => {
  const file = join(folder, 'set', name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, Buffer.isBuffer(entries) ? entries : tarOf(entries))
  return file
}
const open = () => webDataset(join(folder, 'set'))

/** What lies where the set says that images are. */
const contents = ({ root, pieces, names }: ImageFileSet) =>
  names.map((name, i) => {
    const { paths, files, offsets, lengths } = pieces!
    const bytes = readFileSync(join(root, paths[files[i]!]!)).subarray(offsets[i], offsets[i]! + lengths[i]!)
    return [name, bytes.toString('latin1')]
  })

describe('webDataset', () => {
  it('finds images and classes of samples, in the order of files and members', async () => {
    place('a-train-1.tar', samplesOf([{ key: 'x/01', bytes: Buffer.from('third'), label: 0 }]))
    place('a-train-0.tar', [
      { name: './', bytes: '', type: 'Directory' },
      { name: '0.cls', bytes: '12\n' },
      { name: '0.JPEG', bytes: 'first' },
      { name: '0.txt', bytes: 'a caption' },
      { name: '__info__.json', bytes: '{}' },
      { name: 'b.c/1.png', bytes: 'second' },
      { name: 'b.c/1.json', bytes: '{"label": 3, "text": "more"}' },
      { name: 'b.c/1.seg.png', bytes: 'a mask' },
    ])
    place('a-val-0.tar', samplesOf([{ key: 'v', bytes: Buffer.from('other'), label: 2 }]))
    const source = await open()
    expect(contents(source.train)).toEqual([
      ['0.JPEG', 'first'],
      ['b.c/1.png', 'second'],
      ['x/01.jpg', 'third'],
    ])
    expect([...source.train.labels]).toEqual([12, 3, 0])
    expect(contents(source.test!)).toEqual([['v.jpg', 'other']])
    expect(source.numClasses).toBe(13)
    expect([source.classNames[3], source.classNames[12]]).toEqual(['03', '12'])
  })

  it('takes folders train and val, one tar file, and names of classes', async () => {
    const one = samplesOf([{ key: '0', bytes: Buffer.from('image'), label: 1 }])
    const file = place('train/0.tar', one)
    place('val/0.tar', one)
    writeFileSync(join(folder, 'set', 'classes.txt'), 'cat\r\ndog\r\n')
    const source = await open()
    expect(source.classNames).toEqual(['cat', 'dog'])
    expect(source.test!.names).toEqual(['0.jpg'])
    const single = await webDataset(file)
    expect(single.train.names).toEqual(['0.jpg'])
    expect(single.test).toBeUndefined()
    expect(single.numClasses).toBe(2)
  })

  it.each(['ustar', 'pax', 'gnu', 'v7'])('reads what tar --format=%s writes', async format => {
    const deep = format === 'v7' ? 'd' : `${'d'.repeat(90)}/${format === 'ustar' ? '' : `${'ä'.repeat(100)}/`}`
    const source = join(folder, 'source', deep)
    mkdirSync(source, { recursive: true })
    for (const [name, text] of Object.entries({ '7.jpg': 'image', '7.cls': '4' })) writeFileSync(join(source, name), text)
    mkdirSync(join(folder, 'set'))
    const file = join(folder, 'set', 'some.tar')
    execFileSync('tar', ['--sort=name', `--format=${format}`, '-C', join(folder, 'source'), '-cf', file, '.'])
    const { train } = await open()
    expect(contents(train)).toEqual([[`./${join(deep, '7.jpg')}`, 'image']])
    expect([...train.labels]).toEqual([4])
  })

  it('keeps where samples lie, for as long as the file is the same', async () => {
    const cached = () => readdirSync(join(folder, 'cache', 'tar'))
    const file = place('0.tar', samplesOf([{ key: '0', bytes: Buffer.from('image'), label: 0 }]))
    const first = await open()
    const [kept] = cached()
    const path = join(folder, 'cache', 'tar', kept!)
    writeFileSync(path, readFileSync(path, 'utf8').replace('0.jpg', 'seen.jpg'))
    expect((await open()).train.names).toEqual(['seen.jpg'])
    writeFileSync(path, '{"version": 1')
    expect((await open()).train).toEqual(first.train)
    expect(cached()).toEqual([kept])
    writeFileSync(file, tarOf(samplesOf([{ key: '9', bytes: Buffer.from('other'), label: 0 }])))
    utimesSync(file, 1, 1)
    expect((await open()).train.names).toEqual(['9.jpg'])
    rmSync(join(folder, 'cache'), { recursive: true })
    writeFileSync(join(folder, 'cache'), 'no folder')
    expect((await open()).train.names).toEqual(['9.jpg'])
  })

  const image = { name: '0.jpg', bytes: 'image' }
  const label = { name: '0.cls', bytes: '1' }
  const good = tarOf([image, label])
  const wrong: [string, readonly Entry[] | Buffer, RegExp][] = [
    ['an image without a class', [image], /byte 512: sample '0' has no class: neither .cls nor a .json .* \.jpg/],
    ['a class without an image', [image, label, { name: '1.cls', bytes: '1' }], /byte 2560: sample '1' has no image/],
    ['several images', [image, label, { name: '0.png', bytes: '' }], /sample '0' has several images/],
    ['a member twice', [image, label, image], /byte 2560: sample '0' has two members \.jpg/],
    [
      'a class that is no number',
      [image, { name: '0.cls', bytes: 'cat' }],
      /byte 1536: sample '0' has the class 'cat', no number/,
    ],
    ['a long class', [image, { name: '0.cls', bytes: '1'.repeat(40) }], /has a \.cls of 40 bytes/],
    ['JSON without a class', [image, { name: '0.json', bytes: '[1' }], /has no class/],
    ['no samples', [{ name: 'readme', bytes: 'x' }], /some\.tar has no samples/],
    ['a link', [{ name: '0.jpg', bytes: '', type: 'SymbolicLink' }], /'0\.jpg' is no plain file \(SymbolicLink\)/],
    ['an empty file', Buffer.alloc(0), /byte 0: the file is empty/],
    ['no tar file', Buffer.alloc(2000, 'x'), /byte 0: not a tar file/],
    ['a compressed one', Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(600)]), /is compressed: unpack it with gunzip/],
    ['the end within an image', good.subarray(0, 514), /byte 0: truncated: '0\.jpg' has 5 bytes, and 2 follow/],
    ['the end between members', good.subarray(0, 1024), /byte 1024: truncated: the file ends without the end mark/],
    ['a changed header', Buffer.concat([good.subarray(0, 1030), Buffer.from('!'), good.subarray(1031)]), /byte 1024: damaged/],
    ['more after the end', Buffer.concat([good, good]), /more after the end mark/],
  ]
  it.each(wrong)('refuses %s', async (_, entries, message) => {
    const file = place('some.tar', entries)
    await expect(open()).rejects.toThrow(message)
    await expect(open()).rejects.toThrow(file)
  })

  it('refuses folders whose tar files it cannot tell apart, and classes that training does not have', async () => {
    await expect(open()).rejects.toThrow('there is no such folder or tar file')
    mkdirSync(join(folder, 'set'))
    await expect(open()).rejects.toThrow(/set has no tar files\. Expected: /)
    const sample = (label: number) => samplesOf([{ key: '0', bytes: Buffer.from('image'), label }])
    place('some-val.tar', sample(1))
    await expect(open()).rejects.toThrow(/no tar file is for training/)
    place('some-train.tar', sample(0))
    await expect(open()).rejects.toThrow(/some-val\.tar: '0\.jpg' has class 1, but the training samples have 1 \(0 to 0\)/)
    place('some.tar', sample(0))
    await expect(open()).rejects.toThrow(/some\.tar is not clearly for training/)
    await expect(open()).rejects.toBeInstanceOf(InvalidArgument)
  })

  it('sees a file that became longer', async () => {
    const file = place('0.tar', samplesOf([{ key: '0', bytes: Buffer.from('image'), label: 0 }]))
    await open()
    appendFileSync(file, 'x')
    await expect(open()).rejects.toThrow(/more after the end mark/)
  })
})
