import { useEffect, useState } from "react";
import { useFormat } from "../i18n/format.ts";

const TICK_MS = 10_000;

/** "3 min. ago"; the whole time as its title. */
export function TimeAgo({ time }: { time: string }) {
  const format = useFormat();
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), TICK_MS);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <time dateTime={time} title={format.time(time)}>
      {format.ago(time, Math.max(nowMs, new Date(time).getTime()))}
    </time>
  );
}
