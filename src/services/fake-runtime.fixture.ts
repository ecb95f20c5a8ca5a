import type { Program, Source } from "../core/program.ts";
import type { Runtime, SelfTest, SelfTestFacts } from "../runtimes/runtime.ts";

/** A runtime that notes what it prepares. `hold`: a preparation takes as long as this says. */
export class FakeRuntime implements Runtime {
  readonly base = "node";
  readonly languages: readonly string[];
  readonly title = "a fake";
  readonly image = { base: "node", command: [], copies: [], binds: [], devices: [], librariesOf: [], env: {} };
  readonly prepared: string[] = [];
  hold: Promise<void> = Promise.resolve();

  constructor(languages = ["javascript", "typescript"]) {
    this.languages = languages;
  }

  selfTest(facts: SelfTestFacts): SelfTest {
    return { source: { text: "" }, input: facts };
  }

  async prepare(language: string, { text: source, artifacts, mode }: Source): Promise<Program> {
    this.prepared.push(`${language}: ${source}`);
    await this.hold;
    return {
      language,
      base: this.base,
      code: (mode && artifacts?.[mode]) ?? `compiled ${source}`,
      options: {},
      alwaysReturns: false,
    };
  }
}
