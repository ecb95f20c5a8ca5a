/** A file or folder of the host that the box must show, read-only. */
export interface Mount {
  /** Absolute path on the host. Must come from the platform, never from user input. */
  readonly from: string;
  /** Absolute path inside the box. */
  readonly to: string;
}

/** Stands for the folder on the host that becomes the box's root. */
export const ROOT = "{root}";

/** What the box of a base's workers holds and which command it starts. */
export interface BaseImage {
  /** `node`, `python`. */
  readonly base: string;
  /** The first word is an absolute path inside the box. The command speaks the wire protocol on fd 3. */
  readonly command: readonly string[];
  /** Files that are copied into the box's root when the server starts: our own small shim files. */
  readonly copies: readonly Mount[];
  /** A program of the host that compiles the copies once they are in place; ROOT in its arguments stands for the box's root. */
  readonly compile?: readonly string[];
  /** Large files and folders that are bound where they lie. */
  readonly binds: readonly Mount[];
  /** Device nodes beyond the harmless ones, shown as they are; none but for a GPU. */
  readonly devices: readonly string[];
  /** ELF files on the host whose shared libraries the box needs, too. */
  readonly librariesOf: readonly string[];
  /** The whole environment of the process. */
  readonly env: { readonly [name: string]: string };
  /** Bounds of its boxes where they differ from everybody's. */
  readonly limits?: Partial<BoxLimits>;
  /** System calls beyond those that every box has. */
  readonly extraCalls?: ExtraCalls;
}

/** Bounds of one box. They hold for its whole process tree. */
export interface BoxLimits {
  readonly memoryBytes: number;
  /** Cores; fractions allowed. */
  readonly cpus: number;
  /** Processes and threads together. */
  readonly pids: number;
  /** Size of the box's only writable folder, `/tmp`. It counts against `memoryBytes`, too. */
  readonly tmpBytes: number;
}

/** Each opens a part of the kernel to what runs in the box. */
export interface ExtraCalls {
  /** Locks on files. Boxes that show the same files see each other's. */
  readonly fileLocks?: boolean;
  /** TCP over IPv4. The box's network namespace has nothing but `lo`, so it connects the box to itself and to nobody else. */
  readonly loopback?: boolean;
}
