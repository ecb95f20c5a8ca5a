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
/** Free places are drawn up to here: more of them say nothing more. */
const DRAWN_PLACES = 16;
/** From here on each bell is small. */
const MANY = 24;

export function Sandboxes({ system, known }: { system: System; known: ReadonlySet<string> }) {
  const text = homeMessages.use();
  const { workers, maxWorkers } = system.pool;
  const free = Math.max(0, maxWorkers - workers.length);
  const counted = ORDER.map((state) => ({ state, count: workers.filter((worker) => worker.state === state).length }));
  const summary = counted
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${text[state].toLocaleLowerCase()}`);
  // Where the places of those to come are drawn, nothing moves when they come.
  const places = Math.max(0, Math.min(DRAWN_PLACES, maxWorkers) - workers.length);
  return (
    <Section title={text.sandboxes} description={[...summary, text.free(free)].join(" · ")}>
      <ul className={classes.bells} data-many={workers.length > MANY}>
        {[...workers]
          .sort((one, other) => one.id - other.id)
          .map((worker) => (
            <Sandbox key={worker.id} worker={worker} known={known} />
          ))}
        {Array.from({ length: places }, (_none, place) => (
          <li key={`free ${place}`} className={classes.sandbox} aria-hidden="true">
            <Bell state="free" />
            <Text size="sm" c="dimmed" className={classes.what}>
              {text.freePlace}
            </Text>
          </li>
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
    ...(memoryBytes === undefined ? [] : [format.bytes(memoryBytes)]),
    format.duration(wholeSeconds(ageMs)),
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
          {version === undefined ? (state === "booting" ? "\u00a0" : text.nobodys) : text.adHoc}
        </Text>
      )}
      <Text size="xs" c="dimmed" className={classes.facts}>
        <span>{facts.join(" · ")}</span>
        {runs > 0 ? <span>{text.runs(runs)}</span> : null}
      </Text>
    </li>
  );
}

/** Tenths would change with each look. */
function wholeSeconds(ms: number): number {
  return ms < 1000 ? ms : Math.floor(ms / 1000) * 1000;
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
