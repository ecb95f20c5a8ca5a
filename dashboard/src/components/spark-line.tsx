import classes from "./spark-line.module.css";

const HEIGHT = 32;
const WIDTH = 120;

export interface SparkLineProps {
  readonly values: readonly number[];
  /** Of the same length; drawn over the values in the colour of faults. */
  readonly bad?: readonly number[];
  /** What the picture says, for those who cannot see it. */
  readonly label: string;
  readonly height?: number;
}

/** Bars of one series, as wide as there is room. Nothing has happened: a thin line. */
export function SparkLine({ values, bad = [], label, height = HEIGHT }: SparkLineProps) {
  const most = Math.max(...values, ...bad, 1e-9);
  const step = WIDTH / Math.max(1, values.length);
  const bars = (series: readonly number[]): string =>
    series
      .map((value, place) => {
        if (value <= 0) return "";
        const tall = Math.max(1.5, (value / most) * (HEIGHT - 2));
        return `M${(place * step).toFixed(2)} ${HEIGHT - 1}v${(-tall).toFixed(2)}h${(step * 0.75).toFixed(2)}v${tall.toFixed(2)}z`;
      })
      .join("");
  return (
    <svg
      className={classes.chart}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      style={{ height }}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path className={classes.ground} d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
      <path className={classes.bars} d={bars(values)} />
      <path className={classes.bad} d={bars(bad)} />
    </svg>
  );
}
