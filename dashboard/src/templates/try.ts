// Makes a function of a template, and calls it as its trial says.
import { call } from "../api/client.ts";
import type { FunctionWithAll, Session } from "../api/schema.ts";
import type { Template, Trial } from "./templates.ts";

export interface TrialResult {
  /** Of the HTTP answer; undefined where the code failed before there was one. */
  readonly httpStatus: number | undefined;
  readonly text: string;
  /** From the request to the whole answer, as seen from here. */
  readonly tookMs: number;
}

/** @throws ApiError */
export async function createFromTemplate(template: Template, language: string, name: string): Promise<FunctionWithAll> {
  const code = template.code[language];
  if (code === undefined) throw new Error(`template "${template.id}" is not there in ${language}`);
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const schedule = template.cron === undefined ? {} : { schedule: { cron: template.cron, timeZone } };
  return await call("createFunction", { body: { name, language, code, ...schedule } });
}

/**
 * Over HTTP where the server is open. Where it wants a key the page has only its session, which is good for the API, so
 * that sends the request.
 *
 * @throws ApiError
 */
export async function tryFunction(name: string, trial: Trial, via: Session["via"] | undefined): Promise<TrialResult> {
  const startedAtMs = performance.now();
  if (via !== "open") {
    const [path = "", query = ""] = trial.path.split("?");
    const body =
      trial.body === undefined
        ? {}
        : { body: JSON.stringify(trial.body), headers: [["Content-Type", "application/json"] as [string, string]] };
    const end = await call("invoke", {
      params: { id: name },
      body: { request: { method: trial.method, path, query, ...body } },
    });
    if ("jobId" in end) throw new Error(`function "${name}" was queued, and not called`);
    const text = end.response?.body ?? end.error?.message ?? "";
    return { httpStatus: end.response?.statusCode, text, tookMs: performance.now() - startedAtMs };
  }
  const response = await fetch(`/fn/${name}${trial.path}`, {
    method: trial.method,
    ...(trial.body === undefined
      ? {}
      : { body: JSON.stringify(trial.body), headers: { "Content-Type": "application/json" } }),
  });
  const text = await response.text();
  return { httpStatus: response.status, text, tookMs: performance.now() - startedAtMs };
}

/** The first of `name`, `name-2`, `name-3`, … that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const wanted = number === 1 ? name : `${name}-${number}`;
    if (!taken.has(wanted)) return wanted;
  }
}
