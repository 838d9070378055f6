/** The models that come with the package, and the registry for others. */
export { Classifier } from './classifier.js'
export { create, list, register, type ModelFactory, type ModelOptions } from './registry.js'
export { BasicBlock, Bottleneck } from './residual.js'
export { ResNet, type ResNetDepth, type ResNetOptions } from './resnet.js'
export { CifarResNet, type CifarResNetOptions } from './resnet_cifar.js'
export { summarize, type LayerSummary, type ModelSummary } from './summary.js'
