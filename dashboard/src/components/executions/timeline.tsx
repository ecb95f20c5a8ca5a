import { useFormat } from "../../i18n/format.ts";
import { executionMessages } from "../../messages/executions.ts";
import classes from "./timeline.module.css";

export interface TimelineProps {
  readonly waitMs: number;
  readonly runMs: number;
  readonly coldStart: boolean;
}

/** How long it waited for a sandbox and how long it ran, in proportion. */
export function Timeline({ waitMs, runMs, coldStart }: TimelineProps) {
  const text = executionMessages.use();
  const format = useFormat();
  const wholeMs = Math.max(waitMs + runMs, 0.001);
  return (
    <figure className={classes.figure} aria-label={text.timeline}>
      <div className={classes.bar} aria-hidden>
        <span className={classes.wait} data-cold={coldStart} style={{ width: `${(waitMs / wholeMs) * 100}%` }} />
        <span className={classes.run} style={{ width: `${(runMs / wholeMs) * 100}%` }} />
      </div>
      <figcaption className={classes.legend}>
        <span className={classes.key} data-part="wait" data-cold={coldStart}>
          {coldStart ? text.waitedCold : text.waited} <b>{format.duration(waitMs)}</b>
        </span>
        <span className={classes.key} data-part="run">
          {text.ran} <b>{format.duration(runMs)}</b>
        </span>
      </figcaption>
    </figure>
  );
}
