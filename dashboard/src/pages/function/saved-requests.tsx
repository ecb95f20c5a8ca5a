import { ActionIcon, Button, Group, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { IconTrash } from "../../components/icons.ts";
import { Section } from "../../components/section.tsx";
import { testMessages } from "../../messages/function-test.ts";
import classes from "./function.module.css";
import { EMPTY, type TestRequest } from "./test-request.ts";

const keyOf = (functionId: string): string => `cloche-test:${functionId}`;

/** The request of this browser's last visit, and the way to change it. */
export function useKeptRequest(functionId: string): [TestRequest, (request: TestRequest) => void] {
  const [request, setRequest] = useState(() => ({ ...EMPTY, ...read<Partial<TestRequest>>(keyOf(functionId), {}) }));
  return [
    request,
    (now) => {
      setRequest(now);
      localStorage.setItem(keyOf(functionId), JSON.stringify(withoutKeys(now)));
    },
  ];
}

export interface SavedRequestsProps {
  readonly functionId: string;
  readonly request: TestRequest;
  readonly onUse: (request: TestRequest) => void;
}

/** Requests with names, in this browser. */
export function SavedRequests({ functionId, request, onUse }: SavedRequestsProps) {
  const text = testMessages.use();
  const key = `cloche-requests:${functionId}`;
  const [saved, setSaved] = useState(() => read<Record<string, TestRequest>>(key, {}));
  const [name, setName] = useState("");
  function keep(now: Record<string, TestRequest>): void {
    setSaved(now);
    localStorage.setItem(key, JSON.stringify(now));
  }
  return (
    <Section title={text.savedRequests}>
      <Stack className={classes.pad} gap="xs">
        {Object.entries(saved).map(([known, kept]) => (
          <Group key={known} justify="space-between" wrap="nowrap">
            <Button variant="subtle" size="compact-sm" onClick={() => onUse(kept)} aria-label={text.load(known)}>
              {kept.method} · {known}
            </Button>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={text.forget(known)}
              onClick={() => keep(Object.fromEntries(Object.entries(saved).filter(([other]) => other !== known)))}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        ))}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            keep({ ...saved, [name.trim()]: withoutKeys(request) });
            setName("");
          }}
        >
          <Group>
            <TextInput
              aria-label={text.saveAs}
              placeholder={text.saveAs}
              value={name}
              onChange={({ currentTarget }) => setName(currentTarget.value)}
              required
            />
            <Button type="submit" variant="default">
              {text.save}
            </Button>
          </Group>
        </form>
      </Stack>
    </Section>
  );
}

/** Keys are for this visit only: the browser's storage is no place for them. */
function withoutKeys(request: TestRequest): TestRequest {
  const isKey = (name: string): boolean => /^(?:authorization|x-api-key|cookie)$/i.test(name.trim());
  return { ...request, headers: request.headers.filter(([name]) => !isKey(name)) };
}

function read<Value>(key: string, otherwise: Value): Value {
  try {
    return (JSON.parse(localStorage.getItem(key) ?? "null") as Value | null) ?? otherwise;
  } catch {
    return otherwise;
  }
}
