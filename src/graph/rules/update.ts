import { operand, type Call, type Rule } from './rule.js'

const inPlace =
  (...names: string[]) =>
  (call: Call) =>
    Object.fromEntries(names.filter(name => call.reads[name]).map(name => [name, operand(call, name)]))

export const update = {
  gradNorm: { doc: 'norm of the gradient, finite flag, clip factor', shape: inPlace('state') } satisfies Rule,
  sgdUpdate: { doc: 'SGD with momentum, Nesterov and weight decay, flat', shape: inPlace('weights', 'velocity') } satisfies Rule,
  adamwUpdate: { doc: 'AdamW (decoupled weight decay), flat', shape: inPlace('weights', 'm', 'v') } satisfies Rule,
  emaUpdate: { doc: 'exponential moving average of the weights, flat', shape: inPlace('ema') } satisfies Rule,
}
