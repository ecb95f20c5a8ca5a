// Changes of a function that more than one page offers. Each says what it did and takes it back where somebody wants that.
import type { QueryClient } from "@tanstack/react-query";
import { toastDeferred, toastDone, toastFault } from "../components/toast.tsx";
import { functionsMessages } from "../messages/functions.ts";
import { call } from "./client.ts";
import { deleting, keys } from "./queries.ts";
import type { FunctionSummary } from "./schema.ts";

/** The function is gone from every list at once, and from the server when the time to undo is over. */
export function deleteFunction(client: QueryClient, { id, name }: Pick<FunctionSummary, "id" | "name">): void {
  const text = functionsMessages.now();
  const lookAgain = (): void => void client.invalidateQueries({ queryKey: keys.functions });
  deleting.add(id);
  lookAgain();
  toastDeferred(
    text.deleted(name),
    async () => {
      try {
        await call("deleteFunction", { params: { id } }, { keepalive: true });
      } finally {
        deleting.delete(id);
      }
    },
    () => {
      deleting.delete(id);
      lookAgain();
    },
  );
}

export async function setDisabled(
  client: QueryClient,
  { id, name }: Pick<FunctionSummary, "id" | "name">,
  disabled: boolean,
): Promise<void> {
  const change = async (to: boolean): Promise<void> => {
    await call("changeFunction", { params: { id }, body: { disabled: to } });
    await Promise.all([
      client.invalidateQueries({ queryKey: keys.functions }),
      client.invalidateQueries({ queryKey: keys.function(name) }),
    ]);
  };
  const text = functionsMessages.now();
  try {
    await change(disabled);
    toastDone(disabled ? text.wasDisabled(name) : text.wasEnabled(name), () => change(!disabled));
  } catch (error) {
    toastFault(error);
  }
}
