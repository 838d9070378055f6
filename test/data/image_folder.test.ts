/** Folders of images: which files are found, with which classes, and what is said of folders that are otherwise. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { imageFolder, imageNet } from '../../src/data/index.js'
import { InvalidArgument, Unsupported } from '../../src/runtime/errors.js'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'eraserelu-layout-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Empty files: nothing is decoded here. */
function make(...files: string[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), '')
  }
}

describe('imageFolder', () => {
  it('numbers classes by name, takes folders below, and passes over what is no image', async () => {
    make(
      'train/dog/2.jpg',
      'train/dog/1.JPEG',
      'train/dog/more/3.png',
      'train/dog/notes.txt',
      'train/dog/._1.jpg',
      'train/cat/a.jpg',
    )
    make('train/README', 'val/dog/v.jpg')
    const source = await imageFolder(folder)
    expect(source.classNames).toEqual(['cat', 'dog'])
    expect(source.train.names).toEqual(['train/cat/a.jpg', 'train/dog/1.JPEG', 'train/dog/2.jpg', 'train/dog/more/3.png'])
    expect([...source.train.labels]).toEqual([0, 1, 1, 1])
    expect(source.test!.names).toEqual(['val/dog/v.jpg'])
    expect([...source.test!.labels]).toEqual([1])
    expect(source).toMatchObject({ numClasses: 2, shape: [224, 224, 3], testShape: [224, 224, 3] })
  })

  it('follows links, and needs no val', async () => {
    make('elsewhere/cat/a.jpg', 'train/dog/b.jpg')
    symlinkSync(join(folder, 'elsewhere', 'cat'), join(folder, 'train', 'cat'))
    symlinkSync(join(folder, 'elsewhere', 'cat', 'a.jpg'), join(folder, 'train', 'dog', 'c.jpg'))
    const source = await imageFolder(folder)
    expect(source.train.names).toEqual(['train/cat/a.jpg', 'train/dog/b.jpg', 'train/dog/c.jpg'])
    expect(source.test).toBeUndefined()
  })

  const wrong: [string, string[], RegExp][] = [
    ['no train', ['cat/a.jpg'], /has no folder 'train'. Expected: .*train\/CLASS\/\*\.jpg/],
    ['images without a class', ['train/a.jpg'], /has no folders, one a class/],
    ['a class without images', ['train/cat/a.txt'], /cat: a class without images/],
    ['a class of val alone', ['train/kitten/a.jpg', 'val/kiten/a.jpg'], /no class 'kiten' in .*train\. Did you mean 'kitten'/],
    ['an empty val', ['train/cat/a.jpg', 'val/readme'], /val: there are no images in folders/],
  ]
  it.each(wrong)('refuses %s', async (_, files, message) => {
    make(...files)
    await expect(imageFolder(folder)).rejects.toThrow(message)
    await expect(imageFolder(folder)).rejects.toBeInstanceOf(InvalidArgument)
  })

  it('refuses images that it would miss, and a folder that is not there', async () => {
    make('train/cat/a.jpg', 'train/cat/b.webp')
    await expect(imageFolder(folder)).rejects.toThrow(/b\.webp: JPEG, PNG and PPM files are read, not \.webp/)
    await expect(imageFolder(folder)).rejects.toBeInstanceOf(Unsupported)
    await expect(imageFolder(join(folder, 'nowhere'))).rejects.toThrow('there is no such folder')
  })

  const options: [object, RegExp][] = [
    [{ valCropSize: 300 }, /valResizeSize 256 is smaller than valCropSize 300/],
    [{ trainCropSize: 0 }, /trainCropSize must be an integer of at least 1/],
    [{ scale: [0.5, 0.1] }, /scale must be \[smallest, largest\], got \[0.5, 0.1\]/],
    [{ scale: [0, 1] }, /scale\[0\] must be a number in \(0, 1\]/],
    [{ ratio: [1] }, /ratio must be \[smallest, largest\]/],
    [{ colorJitter: 0.4 }, /colorJitter must be \[brightness, contrast, saturation\]/],
    [{ colorJitter: [0.4, 0.4, 1.4] }, /colorJitter\[2\] must be a number from 0 to 1/],
    [{ lighting: -1 }, /lighting must be a number of at least 0/],
    [{ randomErasing: 2 }, /randomErasing must be a number from 0 to 1/],
    [{ erasingScale: [0, 1] }, /erasingScale\[0\] must be a number in \(0, 1\]/],
    [{ erasingRatio: [3, 0.3] }, /erasingRatio must be \[smallest, largest\], got \[3, 0.3\]/],
    [{ erasingValue: 'grey' }, /erasingValue must be one of mean, random/],
    [{ std: [1, 0, 1] }, /std\[1\] must be a number above 0/],
    [{ mean: [1] }, /mean must have one number a channel/],
    [{ maxCorupt: 1 }, /unknown option 'maxCorupt'. Did you mean 'maxCorrupt'/],
  ]
  it.each(options)('refuses %j', async (given, message) => {
    make('train/cat/a.jpg')
    await expect(imageFolder(folder, given)).rejects.toThrow(message)
  })
})

describe('imageNet', () => {
  const train = ['train/n01/a.JPEG', 'train/n02/b.JPEG', 'train/n03/c.JPEG']
  const val = ['val/ILSVRC2012_val_00000001.JPEG', 'val/ILSVRC2012_val_00000002.JPEG']

  it('takes class folders', async () => {
    make(...train, 'val/n03/x.JPEG')
    const source = await imageNet(folder)
    expect([...source.test!.labels]).toEqual([2])
    expect(source.name).toBe('imagenet')
  })

  const truths: [string, string][] = [
    [
      'LOC_val_solution.csv',
      'ImageId,PredictionString\nILSVRC2012_val_00000002,n01 1 2 3 4\nILSVRC2012_val_00000001,n03 5 6 7 8 n03 1 1 2 2\n',
    ],
    ['val/val.txt', 'ILSVRC2012_val_00000001.JPEG 2\r\nILSVRC2012_val_00000002.JPEG 0\r\n'],
    ['imagenet_2012_validation_synset_labels.txt', 'n03\nn01\n'],
  ]
  it.each(truths)('takes a flat folder with %s', async (name, text) => {
    make(...train, ...val)
    writeFileSync(join(folder, name), text)
    const source = await imageNet(folder)
    expect(source.test!.names).toEqual(val)
    expect([...source.test!.labels]).toEqual([2, 0])
  })

  const wrong: [string | undefined, RegExp][] = [
    [undefined, /no file says the classes of its images. One of LOC_val_solution.csv, /],
    ['ILSVRC2012_val_00000001.JPEG 2\n', /does not say the class of ILSVRC2012_val_00000002.JPEG/],
    ['ILSVRC2012_val_00000001.JPEG 3\n', /entry 1 names the class '3'/],
    ['n03\n', /has 1 lines for 2 images/],
  ]
  it.each(wrong)('refuses a flat folder with %j', async (text, message) => {
    make(...train, ...val)
    if (text !== undefined) writeFileSync(join(folder, 'val.txt'), text)
    await expect(imageNet(folder)).rejects.toThrow(message)
  })
})
