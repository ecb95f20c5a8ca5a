/**
 * What was changed. `kind` and `id`:
 * - `function`: made, changed, another version active, other aliases; the function's id
 * - `variables`: its variables or secrets; the function's id
 * - `removed`: the function's id
 * - `version-removed`: the function's id and the version's number, with a space between
 * - `keys`, `sessions`: some of them; no id
 *
 * Others may tell of what they change under kinds of their own.
 */
export interface Change {
  /** Without spaces. */
  readonly kind: string;
  readonly id: string;
}

/** Both may reject; then `onGap` is called again until it resolves. */
export interface ChangeListener {
  onChange(change: Change): Promise<void>;
  /** Changes may have been missed: whatever is held in memory may be old. */
  onGap(): Promise<void>;
}

/** What other servers on the same store change, within milliseconds; a message that is lost is noticed within five seconds. */
export interface Changes {
  /** The returned function ends it. */
  subscribe(listener: ChangeListener): () => void;
  /** Tells the others of something that is in force already. Rejects with PlatformError STORE_UNAVAILABLE. */
  publish(change: Change): Promise<void>;
}
