// The box's answer, checked: whatever ran in there may have taken it over.
import { z } from "zod";
import type { ArtifactMode } from "../../core/program.ts";
import type { Built } from "../build.ts";
import type { ReportedFailure } from "./failure.ts";
import type { Frame } from "./frames.ts";

const mode = z.enum(["native", "wasm"]);
const place = z.object({ file: z.string(), line: z.int(), column: z.int(), message: z.string() });
const reply = z.discriminatedUnion("t", [
  z.object({
    t: z.literal("built"),
    style: z.enum(["program", "handler"]),
    artifacts: z.array(z.object({ mode, bytes: z.int().nonnegative() })).min(1),
    warnings: z.array(z.string()),
  }),
  z.object({
    t: z.literal("failed"),
    message: z.string(),
    output: z.string(),
    files: z.array(place),
    limit: z.enum(["disk", "file", "processes", "memory"]).optional(),
  }),
]);

export type Reply =
  | { readonly t: "built"; readonly built: Built }
  | { readonly t: "failed"; readonly failure: ReportedFailure };

/** Undefined where it is no answer to what was asked. */
export function parseReply(frame: Frame | undefined, asked: readonly ArtifactMode[]): Reply | undefined {
  const { data } = reply.safeParse(frame?.header);
  if (data === undefined || frame === undefined) return undefined;
  if (data.t === "failed") return { t: "failed", failure: data };
  const artifacts: Partial<Record<ArtifactMode, Buffer>> = {};
  let at = 0;
  for (const { mode: built, bytes } of data.artifacts) {
    if (!asked.includes(built) || artifacts[built] !== undefined) return undefined;
    artifacts[built] = frame.body.subarray(at, at + bytes);
    at += bytes;
  }
  if (at !== frame.body.length) return undefined;
  return { t: "built", built: { artifacts, style: data.style, warnings: data.warnings } };
}
