/** A box that tries forbidden hosts in a loop must not fill the server's log. */
const LINES_PER_BOX = 20;

/** Passes on the first lines about one box. */
export class BoxLog {
  readonly #onLine: (text: string) => void;
  #linesLeft = LINES_PER_BOX;

  constructor(onLine: (text: string) => void) {
    this.#onLine = onLine;
  }

  tell(text: string): void {
    if (this.#linesLeft === 0) return;
    this.#linesLeft -= 1;
    this.#onLine(this.#linesLeft > 0 ? text : `${text} (more of this sandbox are not shown)`);
  }
}
