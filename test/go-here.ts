// Tests that need Go are skipped where there is none that the server would take.
import { join } from "node:path";
import { findToolchain } from "../src/runtimes/go/toolchain.ts";

const search = findToolchain({ goRoot: undefined, path: [] }, process.getuid?.() === 0);

export const hasGo = search.found;
export const NO_GO = hasGo ? false : "there is no Go here";
/** Where its command is. */
export const goBin = search.found ? join(search.toolchain.root, "bin") : "";
