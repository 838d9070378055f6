/** CIFAR-100 (Krizhevsky 2009): a hundred kinds of things. The twenty coarse labels of its files are not used. */
import { openCifar, type Cifar } from './cifar.js'
import type { DataSource } from './dataset.js'
import type { FindOptions } from './find.js'

const names =
  'apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle caterpillar ' +
  'cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster ' +
  'house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree ' +
  'orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose ' +
  'sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television ' +
  'tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm'

/** Where its files are published and may lie, and what is in them. Mean and deviation: those of ResNet and ResNeXt recipes, of 255. */
export const cifar100: Cifar = {
  published: {
    name: 'cifar100',
    title: 'CIFAR-100',
    address: 'https://www.cs.toronto.edu/~kriz',
    downloads: [{ name: 'cifar-100-binary.tar.gz', md5: '03b5dce01913d631647c71ecec9e9cb8', holds: 'cifar-100-binary' }],
    forms: [
      // Flat, these names would say little.
      { pickled: false, files: ['train.bin', 'test.bin'], folders: ['cifar-100-binary'] },
      { pickled: true, files: ['train', 'test'], folders: ['cifar-100-python'] },
    ],
  },
  classNames: names.split(' ').map(name => name.replace('_', ' ')),
  mean: [129.3, 124.1, 112.4].map(value => value / 255),
  std: [68.2, 65.4, 70.4].map(value => value / 255),
  labelBytes: 2,
  labelKey: 'fine_labels',
}

export const openCifar100 = (options: FindOptions): Promise<DataSource> => openCifar(cifar100, options)
