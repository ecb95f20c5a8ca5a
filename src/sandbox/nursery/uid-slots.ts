// One user id per live box, so that two boxes share no user-wide limit and could not signal each other even outside their namespaces.
const FIRST_UID = 60_000;
const LAST_UID = 61_183; // systemd's dynamic users begin behind it
const PASSWD_UID = /^[^:]*:[^:]*:(\d+):/gm;

export class UidSlots {
  readonly #free: number[];

  /**
   * @param seed spreads servers on one machine over the range, so that they rarely share a user
   * @param passwd the text of /etc/passwd: users that exist are left out
   */
  constructor(count: number, seed: number, passwd: string) {
    const taken = new Set([...passwd.matchAll(PASSWD_UID)].map((match) => Number(match[1])));
    const size = LAST_UID - FIRST_UID + 1;
    const uids = Array.from({ length: size }, (_, index) => FIRST_UID + ((seed * 61 + index) % size));
    this.#free = uids.filter((uid) => !taken.has(uid)).slice(0, count);
  }

  /** Throws when more boxes live than slots were asked for. */
  take(): number {
    const uid = this.#free.shift();
    if (uid === undefined) throw new Error("no user id is free for another sandbox");
    return uid;
  }

  giveBack(uid: number): void {
    this.#free.push(uid);
  }
}
