// One chart over time. A chunk of its own: only those who look at numbers load it.
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useFormat } from "../../i18n/format.ts";
import { executionMessages } from "../../messages/executions.ts";
import classes from "./chart.module.css";

export interface ChartLine {
  readonly name: string;
  /** The name of a colour, such as `--cloche-accent`. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  readonly dash?: readonly number[];
}

export interface ChartProps {
  /** What it shows, for those who do not see it. */
  readonly label: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly kind: "bars" | "lines";
  readonly unit: "count" | "ms" | "bytes";
}

const HEIGHT_PX = 220;

export default function Chart({ label, times, lines, kind, unit }: ChartProps) {
  const text = executionMessages.use();
  const format = useFormat();
  const scheme = useComputedColorScheme();
  const host = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    const style = getComputedStyle(document.documentElement);
    const color = (name: string): string => style.getPropertyValue(name).trim();
    const inUnit = { count: format.number, ms: format.duration, bytes: format.bytes }[unit];
    const shown = (value: number | null): string => (value === null ? "" : inUnit(value));
    const axis = {
      stroke: color("--mantine-color-dimmed"),
      grid: { stroke: color("--cloche-line"), width: 1 },
      ticks: { show: false },
    };
    const bars = uPlot.paths.bars?.({ size: [0.8, 40] });
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT_PX,
        cursor: { drag: { x: false, y: false } },
        scales: { y: { range: (_plot, _min, max) => [0, Math.max(max * 1.1, 1)] } },
        axes: [
          { ...axis, size: 30, ...timeAxis(format) },
          {
            ...axis,
            size: 64,
            values: (_plot, ticks) => ticks.map((tick) => (unit === "count" && tick % 1 !== 0 ? "" : shown(tick))),
          },
        ],
        series: [
          { label: text.since, value: (_plot, at: number | null) => (at === null ? "" : format.time(at * 1000)) },
          ...lines.map((line) => ({
            label: line.name,
            stroke: color(line.color),
            width: kind === "bars" ? 0 : 2,
            points: { show: kind === "lines", size: 5 },
            value: (_plot: uPlot, value: number | null) => shown(value),
            ...(line.dash === undefined ? {} : { dash: [...line.dash] }),
            ...(kind === "bars" && bars !== undefined ? { paths: bars, fill: color(line.color) } : {}),
          })),
        ],
      },
      [[...times], ...lines.map(({ values }) => [...values])],
      element,
    );
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      plot.destroy();
    };
  }, [times, lines, kind, unit, scheme, format, text]);

  return <div ref={host} role="img" aria-label={label} className={classes.chart} />;
}

/** Times of day within two days, else dates. */
function timeAxis(format: { clock(time: number): string; time(time: number): string }): Partial<uPlot.Axis> {
  const DAY_S = 86_400;
  return {
    values: (_plot, ticks) => {
      const spanS = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0);
      return ticks.map((tick) => {
        const date = new Date(tick * 1000);
        return spanS > 2 * DAY_S
          ? date.toLocaleDateString(document.documentElement.lang, { month: "numeric", day: "numeric" })
          : format.clock(date.getTime()).slice(0, 5);
      });
    },
  };
}
