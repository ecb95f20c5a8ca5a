import { ActionIcon, Button, Popover, TextInput } from "@mantine/core";
import { useState } from "react";
import { IconPlus, IconTrash } from "../../components/icons.ts";
import { toastDone } from "../../components/toast.tsx";
import type { Problem } from "../../editor/code-editor.tsx";
import { functionMessages } from "../../messages/function.ts";
import classes from "./function.module.css";
import type { Code } from "./working-copy.ts";

export interface FileBarProps {
  readonly code: Code;
  readonly path: string;
  readonly problems: readonly Problem[];
  readonly canChange: boolean;
  readonly onChoose: (path: string) => void;
  readonly onChange: (code: Code) => void;
}

/** The files of a function: choose one, add one, remove one. The main file stays. */
export function FileBar({ code, path, problems, canChange, onChoose, onChange }: FileBarProps) {
  const text = functionMessages.use();
  function remove(): void {
    const { [path]: removed = "", ...files } = code.files;
    onChange({ ...code, files });
    onChoose(code.entry);
    toastDone(text.fileRemoved(path), async () => onChange({ ...code, files: { ...files, [path]: removed } }));
  }
  return (
    <nav className={classes.files} aria-label={text.files}>
      {Object.keys(code.files).map((name) => (
        <button
          key={name}
          type="button"
          className={classes.file}
          aria-current={name === path}
          data-problem={problems.some((problem) => problem.path === name)}
          onClick={() => onChoose(name)}
        >
          {name}
        </button>
      ))}
      {canChange && path !== code.entry ? (
        <ActionIcon variant="subtle" color="gray" onClick={remove} aria-label={text.removeFile(path)}>
          <IconTrash size={14} />
        </ActionIcon>
      ) : null}
      {canChange ? (
        <NewFile
          isTaken={(name) => name in code.files}
          onAdd={(name) => {
            onChange({ ...code, files: { ...code.files, [name]: "" } });
            onChoose(name);
          }}
        />
      ) : null}
    </nav>
  );
}

function NewFile({ isTaken, onAdd }: { isTaken: (name: string) => boolean; onAdd: (name: string) => void }) {
  const text = functionMessages.use();
  const [isOpen, setIsOpen] = useState(false);
  const [name, setName] = useState("");
  const wanted = name.trim();
  return (
    <Popover opened={isOpen} onChange={setIsOpen} trapFocus position="bottom-start">
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" onClick={() => setIsOpen(!isOpen)} aria-label={text.newFile}>
          <IconPlus size={16} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (wanted === "" || isTaken(wanted)) return;
            onAdd(wanted);
            setName("");
            setIsOpen(false);
          }}
        >
          <TextInput
            label={text.newFileName}
            placeholder="lib/util.js"
            value={name}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
            error={isTaken(wanted) ? text.fileExists : undefined}
            mb="xs"
          />
          <Button type="submit" size="xs">
            {text.add}
          </Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
