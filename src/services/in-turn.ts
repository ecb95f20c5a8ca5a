/** Runs the tasks of one name one after the other; tasks of different names do not wait for each other. */
export class InTurn {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(name: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const running = (async () => {
      await before?.catch(() => {}); // told to whoever asked for it
      return await task();
    })();
    this.#last.set(name, running);
    try {
      return await running;
    } finally {
      if (this.#last.get(name) === running) this.#last.delete(name);
    }
  }
}
