// Where the tests are that see a fault.

/** "on cuda 'conv2d': '3x3, relu'" */
const title = operations => `on cuda '(${operations.join('|')})': `

/** The cases of some operations on the simulated GPU. */
export const cases = (...operations) => [{ file: 'test/native/operations.test.ts', pattern: title(operations) }]

/** The same operations launched in chunks of the batch. */
export const chunks = (...operations) => [{ file: 'test/native/chunks.test.ts', pattern: title(operations) }]

/** The engines of the same operations pass the check at their first use. */
export const checks = (...operations) => [{ file: 'test/native/fused_convolution.test.ts', pattern: title(operations) }]

/** The cases of some operations with a pixel pitch. */
export const pitched = (...operations) => [
  { file: 'test/native/pitched.test.ts', pattern: title(operations).replace('cuda', 'cuda in \\w+') },
]

/** Which engines compute batch norm: some of these tests. */
export const normEngines = pattern => [{ file: 'test/native/simulated_gpu/norm_engines.test.ts', pattern, project: 'simulated' }]

/** Ten steps of ResNet-20 against PyTorch. */
export const trajectory = [{ file: 'test/golden/trajectory.test.ts', pattern: 'on cuda baseline' }]
