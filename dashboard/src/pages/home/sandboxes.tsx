import { Anchor, Text } from "@mantine/core";
import { Link } from "wouter";
import type { System, Worker } from "../../api/system.ts";
import { Section } from "../../components/section.tsx";
import { useFormat } from "../../i18n/format.ts";
import { homeMessages } from "../../messages/home.ts";
import { paths } from "../../router.ts";
import { Bell } from "./bell.tsx";
import classes from "./sandboxes.module.css";

const ORDER: readonly Worker["state"][] = ["busy", "warm", "idle", "booting", "ending"];

export function Sandboxes({ system, known }: { system: System; known: ReadonlySet<string> }) {
  const text = homeMessages.use();
  const { workers, maxWorkers } = system.pool;
  const free = Math.max(0, maxWorkers - workers.length);
  const counted = ORDER.map((state) => ({ state, count: workers.filter((worker) => worker.state === state).length }));
  const summary = counted.filter(({ count }) => count > 0).map(({ state, count }) => `${count} ${text[state]}`);
  return (
    <Section title={text.sandboxes} description={[...summary, text.free(free)].join(" · ")}>
      <ul className={classes.bells}>
        {[...workers]
          .sort((one, other) => one.id - other.id)
          .map((worker) => (
            <Sandbox key={worker.id} worker={worker} known={known} />
          ))}
      </ul>
    </Section>
  );
}

function Sandbox({ worker, known }: { worker: Worker; known: ReadonlySet<string> }) {
  const text = homeMessages.use();
  const format = useFormat();
  const { state, base, version, ageMs, runs, memoryBytes } = worker;
  const [name = "", number] = version?.split("@") ?? [];
  const facts = [
    format.duration(ageMs),
    ...(memoryBytes === undefined ? [] : [format.bytes(memoryBytes)]),
    ...(runs > 0 ? [text.runs(runs)] : []),
  ];
  return (
    <li className={classes.sandbox} data-state={state}>
      <Bell state={state} />
      <div className={classes.what}>
        <Text component="span" className={classes.state}>
          {text[state]}
        </Text>
        <Text component="span" c="dimmed" size="xs">
          {baseName(base)}
        </Text>
      </div>
      {known.has(name) ? (
        <Anchor
          component={Link}
          href={paths.function(name)}
          size="sm"
          className={classes.name}
          title={`${name}@${number}`}
        >
          {name}
        </Anchor>
      ) : (
        <Text size="sm" c="dimmed" className={classes.name}>
          {version === undefined ? text.nobodys : text.adHoc}
        </Text>
      )}
      <Text size="xs" c="dimmed">
        {facts.join(" · ")}
      </Text>
    </li>
  );
}

const BASE_NAMES: Readonly<Record<string, string>> = {
  node: "Node.js",
  python: "Python",
  lua: "Lua",
  native: "Native",
};

/** What people call it. */
function baseName(base: string): string {
  return BASE_NAMES[base] ?? base;
}
