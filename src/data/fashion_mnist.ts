/**
 * Fashion-MNIST (Xiao et al. 2017; MIT licence): 60,000 training and 10,000 test images of ten kinds of garment, 28x28, grey.
 * The whole set is found on this machine or downloaded; a sample of a tenth is part of the package (see sample/README.md).
 */
import { join } from 'node:path'
import { packageRoot } from '../runtime/package_root.js'
import { channelStatistics, type Augment, type DataSource } from './dataset.js'
import type { PublishedFile } from './download.js'
import { find, type FindOptions, type Form, type Published } from './find.js'
import { idxForms, readIdxDataset } from './idx.js'

const classNames = ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot']

/** The usual crop and flip. Garments fill the frame, so the crop moves by 2 pixels, not by the 4 usual for 32x32 scenes. */
const augment: Augment = { pad: 2, padMode: 'zero', flip: true, cutout: 0, randomErasing: 0 }

const downloads: readonly PublishedFile[] = [
  {
    name: 'train-images-idx3-ubyte.gz',
    md5: '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
    sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
  },
  {
    name: 'train-labels-idx1-ubyte.gz',
    md5: '25c81989df183df01b3e8a0aad5dffbe',
    sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
  },
  {
    name: 't10k-images-idx3-ubyte.gz',
    md5: 'bef4ecab320f06d8554ea6380940ec79',
    sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
  },
  {
    name: 't10k-labels-idx1-ubyte.gz',
    md5: 'bb300cfdad3c16e7a12a480ee83cd310',
    sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  },
]

const forms = idxForms('FashionMNIST/raw')

/** Where its files are published, and where they may lie. Their names are those of MNIST: only folders tell the two apart. */
export const fashionMnist: Published = {
  name: 'fashion-mnist',
  title: 'Fashion-MNIST',
  address: 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com',
  downloads,
  forms,
  system: {
    folder: '/usr/share/datasets/fashion-mnist',
    remedy: "install Debian's package dataset-fashion-mnist",
  },
  instead: "the small 'fashion-mnist-sample' needs no files",
}

export async function openFashionMnist(options: FindOptions): Promise<DataSource> {
  const { folder, form } = await find(fashionMnist, options)
  return read('fashion-mnist', folder, form)
}

export const openFashionMnistSample = (): Promise<DataSource> =>
  read('fashion-mnist-sample', join(packageRoot(), 'src/data/sample'), forms[0]!)

async function read(name: string, folder: string, form: Form): Promise<DataSource> {
  const { train, test } = await readIdxDataset({ name, title: 'Fashion-MNIST', classNames }, folder, form)
  return { name, train, test, ...channelStatistics(train), augment }
}
