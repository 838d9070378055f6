/** CIFAR-10 (Krizhevsky 2009): ten kinds of animals and vehicles. */
import { openCifar, type Cifar } from './cifar.js'
import type { DataSource } from './dataset.js'
import type { FindOptions } from './find.js'

const batches = [1, 2, 3, 4, 5].map(number => `data_batch_${number}`)

/** Where its files are published and may lie, and what is in them. Mean and deviation: those of ResNet and ResNeXt recipes, of 255. */
export const cifar10: Cifar = {
  published: {
    name: 'cifar10',
    title: 'CIFAR-10',
    address: 'https://www.cs.toronto.edu/~kriz',
    downloads: [{ name: 'cifar-10-binary.tar.gz', md5: 'c32a1d4ab5d03f1284b67883e8d87530', holds: 'cifar-10-batches-bin' }],
    forms: [
      { pickled: false, files: [...batches.map(name => `${name}.bin`), 'test_batch.bin'], folders: ['', 'cifar-10-batches-bin'] },
      { pickled: true, files: [...batches, 'test_batch'], folders: ['', 'cifar-10-batches-py'] },
    ],
  },
  classNames: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  mean: [125.3, 123.0, 113.9].map(value => value / 255),
  std: [63.0, 62.1, 66.7].map(value => value / 255),
  labelBytes: 1,
  labelKey: 'labels',
}

export const openCifar10 = (options: FindOptions): Promise<DataSource> => openCifar(cifar10, options)
