import type { ReactNode } from "react";
import { CopyButton } from "../copy-button.tsx";
import classes from "./code-block.module.css";

/** Text as it is, with a button that copies it. `label` says what it is. */
export function CodeBlock({ text, label, children }: { text: string; label: string; children?: ReactNode }) {
  return (
    <div className={classes.frame}>
      <pre className={classes.text} tabIndex={0} role="region" aria-label={label}>
        {children ?? text}
      </pre>
      <div className={classes.copy}>
        <CopyButton value={text} />
      </div>
    </div>
  );
}
