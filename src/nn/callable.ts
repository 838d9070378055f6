/**
 * Objects that can be called: `new` on a subclass of Callable gives a function whose prototype is the subclass, so that
 * `block(x)` runs `block.invoke([x])`. Fields, methods and instanceof work as on any object.
 */
export abstract class Callable {
  constructor() {
    const self = (...inputs: never[]): unknown => (self as unknown as Callable).invoke(inputs)
    // A function owns `name` and `length`, which would hide the getters and fields of a subclass.
    Reflect.deleteProperty(self, 'name')
    Reflect.deleteProperty(self, 'length')
    return Object.setPrototypeOf(self, new.target.prototype) as this
  }

  /** @internal */
  protected abstract invoke(inputs: unknown[]): unknown
}
