import type { Worker } from "../../api/system.ts";
import classes from "./bell.module.css";

/**
 * A sandbox as what it is named after: glass over a plant. While it boots there is only the outline; an idle one keeps a
 * seed, a warm one a plant, a busy one a plant that moves; one that is ending is lifted off. A free place is a plate alone.
 */
export function Bell({ state }: { state: Worker["state"] | "free" }) {
  const hasPlant = state === "warm" || state === "busy" || state === "ending";
  return (
    <svg className={classes.bell} data-state={state} viewBox="0 0 96 92" aria-hidden="true">
      <ellipse className={classes.soil} cx="48" cy="80" rx="27" ry="5" />
      {hasPlant ? (
        <g className={classes.plant}>
          <path className={classes.stem} d="M48 79C48 68 47 60 48.5 47" />
          <path d="M48 63c-1-8-7-13-17-13 1 9 7 13.5 17 13Z" />
          <path d="M48.3 55c0-8 6-14 16.5-15-.5 10-6.5 15-16.5 15Z" />
        </g>
      ) : (
        <g className={classes.plant}>
          <path className={classes.stem} d="M48 79v-7" />
          <path d="M48 73c-.5-4-3.5-6.5-8.5-6.5.5 4.5 3.5 6.8 8.5 6.5Z" />
        </g>
      )}
      <g className={classes.glass}>
        <circle cx="48" cy="10" r="5" className={classes.knob} />
        <path d="M15 80V50a33 33 0 0 1 66 0V80Z" className={classes.dome} />
        <path d="M24 70V51a24 24 0 0 1 12-20.5" className={classes.shine} />
      </g>
      <path className={classes.plate} d="M8 84H88" />
    </svg>
  );
}
