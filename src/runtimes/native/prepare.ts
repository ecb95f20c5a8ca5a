// Makes Linux executables ready for the launcher.
import type { Program, Source } from "../../core/program.ts";

/** The name by which a program that speaks the wire protocol itself is told what it is bound to: shim/handler.lua, go/serve.go. */
const HANDLER_MARK = "CLOCHE_HANDLER_BIND_1";

/** Where there is no executable in `source`, each run fails and says so. */
export function prepareNative(language: string, { artifacts = {} }: Source): Program {
  const code = artifacts.native ?? Buffer.alloc(0);
  return {
    language,
    base: "native",
    code,
    options: { style: code.includes(HANDLER_MARK) ? "handler" : "program" },
    alwaysReturns: true, // what it prints is what it prints
  };
}
