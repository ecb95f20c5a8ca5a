// "Run this again with changes": the address names an execution (`?execution=<id>`), whose event fills the fields of a tab.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useEffectEvent } from "react";
import { send, urlOf } from "../../api/client.ts";
import { parseExact } from "../../api/exact-json.ts";
import { keys } from "../../api/queries.ts";
import { type ExecutionWithAll, ROUTES } from "../../api/schema.ts";
import { contentTypeOf, type KeptRequest } from "../../components/executions/exchange.ts";
import { toastFault } from "../../components/toast.tsx";
import { useQueryState } from "../../router.ts";
import { EMPTY, METHODS, type Pair, type TestRequest } from "./test-request.ts";

/** Hands the event over once. Then the address forgets it, so that a reload keeps what was changed since. */
export function usePastEvent(take: (event: unknown, executionId: string) => void): void {
  const [id, setId] = useQueryState("execution");
  const { data, error } = useQuery({
    queryKey: [...keys.execution(id), "event"],
    queryFn: async ({ signal }) => {
      const response = await send(urlOf(ROUTES.readExecution[1], { id }), { signal });
      const { event } = parseExact(await response.text()) as ExecutionWithAll;
      return { event };
    },
    enabled: id !== "",
    structuralSharing: false, // it would take the numbers apart whose digits were kept
  });
  const finish = useEffectEvent(() => {
    if (id === "") return;
    if (data !== undefined) take(data.event, id);
    else if (error !== null) toastFault(error);
    else return;
    setId("");
  });
  useEffect(finish, [data, error]);
}

/** Said by the browser, and not by pages; or of the connection that is over. */
const NOT_FROM_PAGES =
  /^(?:accept-charset|accept-encoding|connection|content-length|cookie|date|dnt|expect|host|keep-alive|origin|referer|te|trailer|transfer-encoding|upgrade|user-agent|via|sec-.*|proxy-.*|x-forwarded-.*)$/;
const MASKED = "***";

export interface PastRequest {
  readonly request: TestRequest;
  /** True where something could not be filled in: it was masked, too long, or no text. */
  readonly isIncomplete: boolean;
}

/** The request of an execution, as the Test tab has requests. */
export function pastRequest(kept: KeptRequest): PastRequest {
  const { relativePath = "", query, body = "", isBase64Encoded = false, bodyTruncated = false } = kept;
  const method = METHODS.find((known) => known === kept.method) ?? EMPTY.method;
  const type = contentTypeOf(kept.headers);
  const bodyKind =
    body === "" || isBase64Encoded
      ? "none"
      : type.startsWith("application/x-www-form-urlencoded")
        ? "form"
        : /^application\/json\b/.test(type)
          ? "json"
          : "raw";
  const isSaid = bodyKind === "form" || bodyKind === "json"; // by the kind of body
  const headers = Object.entries(kept.headers).filter(
    ([name, value]) =>
      !NOT_FROM_PAGES.test(name.toLowerCase()) &&
      !(isSaid && name.toLowerCase() === "content-type") &&
      !(name.toLowerCase() === "authorization" && value === MASKED), // it would only be refused
  );
  return {
    request: {
      ...{ method, headers, bodyKind },
      path: relativePath === "/" ? "" : relativePath,
      query: pairsOf(query),
      body: bodyKind === "form" ? "" : bodyKind === "none" ? "" : body,
      fields: bodyKind === "form" ? pairsOf(body) : [],
    },
    isIncomplete:
      bodyTruncated || isBase64Encoded || JSON.stringify([kept.headers, pairsOf(query), body]).includes(MASKED),
  };
}

function pairsOf(query: string): Pair[] {
  return [...new URLSearchParams(query)];
}
