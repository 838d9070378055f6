/** MNIST (LeCun, Cortes, Burges): 60,000 training and 10,000 test images of handwritten digits, 28x28, grey. */
import { channelStatistics, type Augment, type DataSource } from './dataset.js'
import { find, type FindOptions, type Published } from './find.js'
import { idxForms, readIdxDataset } from './idx.js'

const classNames = Array.from({ length: 10 }, (_, digit) => String(digit))

/** A digit moves, but is not mirrored. */
const augment: Augment = { pad: 2, padMode: 'zero', flip: false, cutout: 0, randomErasing: 0 }

/** Where its files are published, and where they may lie. Their names are those of Fashion-MNIST: only folders tell the two apart. */
export const mnist: Published = {
  name: 'mnist',
  title: 'MNIST',
  address: 'https://ossci-datasets.s3.amazonaws.com/mnist',
  downloads: [
    { name: 'train-images-idx3-ubyte.gz', md5: 'f68b3c2dcbeaaa9fbdd348bbdeb94873' },
    { name: 'train-labels-idx1-ubyte.gz', md5: 'd53e105ee54ea40749a09fcbcd1e9432' },
    { name: 't10k-images-idx3-ubyte.gz', md5: '9fb629c4189551a2d022fa330f9573f3' },
    { name: 't10k-labels-idx1-ubyte.gz', md5: 'ec29112dd5afa0611ce80d1b7f02629c' },
  ],
  forms: idxForms('MNIST/raw'),
}

export async function openMnist(options: FindOptions): Promise<DataSource> {
  const { folder, form } = await find(mnist, options)
  const { train, test } = await readIdxDataset({ name: 'mnist', title: 'MNIST', classNames }, folder, form)
  return { name: 'mnist', train, test, ...channelStatistics(train), augment }
}
