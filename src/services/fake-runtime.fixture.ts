import type { Program, Source } from "../core/program.ts";
import type { Runtime } from "../runtimes/runtime.ts";

/** A runtime that notes what it prepares. `hold`: a preparation takes as long as this says. */
export class FakeRuntime implements Runtime {
  readonly base = "node";
  readonly languages = ["javascript", "typescript"];
  readonly title = "a fake";
  readonly image = { base: "node", command: [], copies: [], binds: [], devices: [], librariesOf: [], env: {} };
  readonly selfTestSource = "";
  readonly prepared: string[] = [];
  hold: Promise<void> = Promise.resolve();

  async prepare(language: string, { text: source }: Source): Promise<Program> {
    this.prepared.push(`${language}: ${source}`);
    await this.hold;
    return { language, base: this.base, code: `compiled ${source}`, options: {}, alwaysReturns: false };
  }
}
