/** A file or folder of the host that the box must show, read-only. */
export interface Mount {
  /** Absolute path on the host. Must come from the platform, never from user input. */
  readonly from: string;
  /** Absolute path inside the box. */
  readonly to: string;
}

/** What the box of a base's workers holds and which command it starts. */
export interface BaseImage {
  /** `node`, `python`. */
  readonly base: string;
  /** The first word is an absolute path inside the box. The command speaks the wire protocol on fd 3. */
  readonly command: readonly string[];
  /** Files that are copied into the box's root when the server starts: our own small shim files. */
  readonly copies: readonly Mount[];
  /** Large files and folders that are bound where they lie. */
  readonly binds: readonly Mount[];
  /** Device nodes beyond the harmless ones, shown as they are; none but for a GPU. */
  readonly devices: readonly string[];
  /** ELF files on the host whose shared libraries the box needs, too. */
  readonly librariesOf: readonly string[];
  /** The whole environment of the process. */
  readonly env: { readonly [name: string]: string };
}
