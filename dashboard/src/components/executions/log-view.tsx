// Lines that were printed: as many as there are, found by level and by word, followed while they come.
import { Button, Group, NativeSelect, Text, TextInput } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useFormat } from "../../i18n/format.ts";
import { executionMessages } from "../../messages/executions.ts";
import { IconSearch } from "../icons.ts";
import classes from "./log-view.module.css";
import { type Level, LEVELS, type ShownLine } from "./use-logs.ts";

const LINE_PX = 22;
const NEAR_END_PX = 40;

export interface LogViewProps {
  readonly lines: readonly ShownLine[];
  /** True while more may come. */
  readonly isOpen: boolean;
  /** False where what comes was printed before: such lines are read from the first one. */
  readonly isFollowed?: boolean;
  readonly isTruncated?: boolean;
  /** Absent: no field for the level, as where lines have none. */
  readonly withLevels?: boolean;
  /** At most, in CSS. */
  readonly maxHeight?: string;
}

export function LogView(props: LogViewProps) {
  const { lines, isOpen, isFollowed = true, isTruncated = false, withLevels = true, maxHeight = "32rem" } = props;
  const text = executionMessages.use();
  const format = useFormat();
  const [level, setLevel] = useState<Level>("debug");
  const [wanted, setWanted] = useState("");
  const matching = useMemo(() => {
    const lowest = LEVELS.indexOf(level);
    const word = wanted.toLowerCase();
    if (lowest === 0 && word === "") return lines;
    return lines.filter((line) => LEVELS.indexOf(line.level) >= lowest && line.text.toLowerCase().includes(word));
  }, [lines, level, wanted]);

  const all = format.number(lines.length);
  if (lines.length === 0) {
    return (
      <Text c="dimmed" size="sm" role="status">
        {isOpen ? (isFollowed ? text.noLogsYet : "…") : text.noLogs}
      </Text>
    );
  }
  return (
    <div>
      <Group gap="sm" mb="sm" align="center">
        <TextInput
          className={classes.search}
          size="sm"
          type="search"
          aria-label={text.searchLogs}
          placeholder={text.searchLogs}
          leftSection={<IconSearch size={16} />}
          value={wanted}
          onChange={({ currentTarget }) => setWanted(currentTarget.value)}
        />
        {withLevels ? (
          <NativeSelect
            size="sm"
            aria-label={text.level}
            title={text.level}
            value={level}
            onChange={({ currentTarget }) => setLevel(currentTarget.value as Level)}
            data={LEVELS.map((value) => ({ value, label: text[`from-${value}`] }))}
          />
        ) : null}
        <Text size="sm" c="dimmed" role="status">
          {matching.length === lines.length ? text.lines(all) : text.linesOf(format.number(matching.length), all)}
        </Text>
      </Group>
      {matching.length === 0 ? (
        <Text className={classes.empty} c="dimmed" size="sm">
          {text.noLogsMatch}
        </Text>
      ) : (
        <Lines lines={matching} word={wanted} isOpen={isOpen && isFollowed} maxHeight={maxHeight} />
      )}
      {isTruncated ? (
        <Text size="sm" mt="xs" c="dimmed">
          {text.truncatedLogs}
        </Text>
      ) : null}
    </div>
  );
}

interface LinesProps {
  readonly lines: readonly ShownLine[];
  readonly word: string;
  readonly isOpen: boolean;
  readonly maxHeight: string;
}

function Lines({ lines, word, isOpen, maxHeight }: LinesProps) {
  const text = executionMessages.use();
  const format = useFormat();
  const box = useRef<HTMLDivElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_PX,
    getItemKey: useCallback((index: number) => lines[index]?.n ?? index, [lines]), // another function: all measured anew
    overscan: 20,
  });
  const count = lines.length;
  useEffect(() => {
    if (isOpen && isAtEnd && count > 0) rows.scrollToIndex(count - 1, { align: "end" });
    // Only when lines have come.
  }, [count, isOpen]);
  const shown = rows.getVirtualItems();
  return (
    <div className={classes.frame}>
      <div
        ref={box}
        role="log"
        aria-label={text.logs}
        // Thousands of lines read aloud help nobody; they can be read where they are.
        aria-live="off"
        tabIndex={0}
        className={classes.box}
        style={{ maxHeight }}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
          setIsAtEnd(scrollHeight - scrollTop - clientHeight < NEAR_END_PX)
        }
      >
        <div className={classes.space} style={{ height: rows.getTotalSize() }}>
          <div className={classes.shown} style={{ transform: `translateY(${shown[0]?.start ?? 0}px)` }}>
            {shown.map(({ index, key }) => {
              const line = lines[index];
              return line === undefined ? null : (
                <div
                  key={key}
                  data-index={index}
                  ref={rows.measureElement}
                  className={classes.line}
                  data-level={line.level}
                >
                  {line.at === undefined ? (
                    <span className={classes.number}>{line.n}</span>
                  ) : (
                    <time className={classes.number} dateTime={line.at} title={format.time(line.at)}>
                      {format.clock(line.at)}
                    </time>
                  )}
                  <span className={classes.text}>
                    {line.level === "warn" || line.level === "error" ? (
                      <span className="visually-hidden">{text[line.level]}: </span>
                    ) : null}
                    {marked(line.text, word)}
                  </span>
                </div>
              );
            })}
          </div>
        </div>
      </div>
      {isOpen && !isAtEnd ? (
        <Button
          className={classes.toEnd}
          size="compact-sm"
          onClick={() => rows.scrollToIndex(count - 1, { align: "end" })}
        >
          {text.toEnd}
        </Button>
      ) : null}
    </div>
  );
}

function marked(line: string, word: string): ReactNode {
  if (word === "") return line;
  const at = line.toLowerCase().indexOf(word.toLowerCase());
  if (at < 0) return line;
  return (
    <>
      {line.slice(0, at)}
      <mark>{line.slice(at, at + word.length)}</mark>
      {line.slice(at + word.length)}
    </>
  );
}
