import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useLayoutEffect, useRef, useState } from "react";
import type { Execution, FunctionSummary } from "../../api/schema.ts";
import { functionsMessages } from "../../messages/functions.ts";
import { FunctionRow } from "./function-row.tsx";
import classes from "./functions-list.module.css";

const ROW_PX = 69;
/** Rows beyond the edges of the window that are there already when somebody scrolls. */
const OVERSCAN = 8;

export interface FunctionsListProps {
  readonly functions: readonly FunctionSummary[];
  readonly failures: ReadonlyMap<string, Execution>;
}

/** What the columns are; each row says it to those who do not see them. */
function Head() {
  const text = functionsMessages.use();
  return (
    <div className={`${classes.row} ${classes.head}`} aria-hidden="true">
      <span />
      <span>{text.name}</span>
      <span>{text.state}</span>
      <span className={classes.calls}>{text.callsHead}</span>
      <span className={classes.failure}>{text.failureHead}</span>
      <span />
    </div>
  );
}

/** As many rows as are in sight, of however many there are. */
export function FunctionsList({ functions, failures }: FunctionsListProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => setTop(frame.current?.offsetTop ?? 0), []);
  const virtual = useWindowVirtualizer({
    count: functions.length,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    scrollMargin: top,
    getItemKey: useCallback((index: number) => functions[index]?.id ?? index, [functions]), // another one: all measured anew
  });
  return (
    <div className="card">
      <Head />
      <div ref={frame} />
      <div role="list" className={classes.list} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => {
          const one = functions[index];
          return one === undefined ? null : (
            <div
              key={key}
              role="listitem"
              aria-setsize={functions.length}
              aria-posinset={index + 1}
              data-index={index}
              ref={virtual.measureElement}
              className={classes.item}
              style={{ transform: `translateY(${start - top}px)` }}
            >
              <FunctionRow one={one} failure={failures.get(one.id)} isPassing={virtual.isScrolling} />
            </div>
          );
        })}
      </div>
    </div>
  );
}
