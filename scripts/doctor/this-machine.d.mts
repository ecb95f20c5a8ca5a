import type { Machine } from "./examine.mjs";

/** This machine, as the checks see it. */
export function thisMachine(productDir: string): Machine;
