// @ts-check
"use strict";
/* oxlint-disable typescript/unbound-method -- private copies of methods; they are called through apply() */
// A picture of built-in objects, to be compared after each run of code that could change them.

/** A walk that finds more than this has left the built-ins, e.g. into a user's data. */
const OBJECTS_LIMIT = 20_000;

const { getOwnPropertyDescriptor, getPrototypeOf, is, isExtensible } = Object;
const { ownKeys } = Reflect;
const describe = String;

const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

/** Objects that change in normal use; what matters of them is compared elsewhere (`quiet.cjs`). */
const skipped = new WeakSet();

class Snapshot {
  #seen = new Set();
  #records = [];

  /**
   * Remembers `root` and all that can be reached from it as it is now.
   * @param {unknown} root
   * @param {(key: string | symbol) => boolean} isCompared of which properties of `root` more than the presence counts
   */
  add(root, isCompared = () => true) {
    const rest = [root];
    while (rest.length > 0 && this.#seen.size < OBJECTS_LIMIT) {
      const object = rest.pop();
      if (!isObject(object) || skipped.has(object) || this.#seen.has(object)) continue;
      this.#seen.add(object);
      const keys = ownKeys(object);
      const descriptors = keys.map((key) =>
        object !== root || isCompared(key) ? getOwnPropertyDescriptor(object, key) : undefined,
      );
      const prototype = getPrototypeOf(object);
      this.#records.push({ object, keys, descriptors, prototype, extensible: isExtensible(object) });
      rest.push(prototype);
      for (const descriptor of descriptors) rest.push(descriptor?.value, descriptor?.get, descriptor?.set);
    }
  }

  /** @returns {string | undefined} the first property that is not as it was */
  difference() {
    for (let at = 0; at < this.#records.length; at += 1) {
      const { object, keys, descriptors, prototype, extensible } = this.#records[at];
      if (getPrototypeOf(object) !== prototype || isExtensible(object) !== extensible) return "a prototype";
      const now = ownKeys(object);
      if (now.length !== keys.length) return describe(added(now, keys) ?? added(keys, now) ?? "a property");
      for (let index = 0; index < keys.length; index += 1) {
        const was = descriptors[index];
        if (was !== undefined && !isSame(was, getOwnPropertyDescriptor(object, keys[index])))
          return describe(keys[index]);
      }
    }
    return undefined;
  }
}

function isSame(was, now) {
  return (
    now !== undefined &&
    is(now.value, was.value) &&
    now.get === was.get &&
    now.set === was.set &&
    now.writable === was.writable &&
    now.enumerable === was.enumerable &&
    now.configurable === was.configurable
  );
}

function added(longer, shorter) {
  const known = new Set(shorter);
  return longer.find((key) => !known.has(key));
}

module.exports = { Snapshot, skip: (object) => skipped.add(object) };
