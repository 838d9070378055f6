/** The network of make_torch_files.py, and what PyTorch gives for it. */
import { join } from 'node:path'
import { globalAvgPool } from '../../src/graph/functions.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { readSafetensors, type TensorData } from '../../src/interop/safetensors.js'
import { BatchNorm2d, Conv2d, Linear, Module, ReLU } from '../../src/nn/index.js'

export class TorchNet extends Module {
  conv = new Conv2d(3, 4, [3, 2], { bias: false })
  bn = new BatchNorm2d(4)
  relu = new ReLU()
  fc: Linear

  constructor(readonly numClasses = 3) {
    super()
    this.fc = new Linear(4, numClasses)
  }

  forward(x: Tensor): Tensor {
    return this.fc(globalAvgPool(this.relu(this.bn(this.conv(x)))))
  }
}

export const torchFile = join(import.meta.dirname, 'torch_net.safetensors')

export async function expectedOfTorch(): Promise<(name: string) => TensorData> {
  const { tensors } = await readSafetensors(join(import.meta.dirname, 'torch_net_expected.safetensors'))
  return name => tensors.get(name)!.data
}
