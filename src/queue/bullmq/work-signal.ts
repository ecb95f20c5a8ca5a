// How nodes tell each other that there may be something to claim.
import type { RedisClient } from "./redis-clients.ts";

export class WorkSignal {
  readonly #client: RedisClient;
  readonly #channel: string;
  readonly #listeners: (() => void)[] = [];
  #isOver = false;

  constructor(client: RedisClient, channel: string) {
    this.#client = client;
    this.#channel = channel;
  }

  async listen(subscriber: RedisClient): Promise<void> {
    await subscriber.subscribe(this.#channel, () => this.tellHere());
  }

  onWork(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Waits for nothing: it is sent behind what it tells of, and where it is lost everybody looks again by themselves. */
  tellAll(): void {
    this.#client.publish(this.#channel, "").catch(() => {});
  }

  tellHere(): void {
    if (!this.#isOver) for (const listener of this.#listeners) listener();
  }

  end(): void {
    this.#isOver = true;
  }
}
