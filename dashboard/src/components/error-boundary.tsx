import { Component, type ReactNode } from "react";
import { messageOf } from "../api/client.ts";
import { shellMessages } from "../messages/shell.ts";
import { EmptyState } from "./empty-state.tsx";
import { Button } from "@mantine/core";

/** A page that breaks says so, and how to go on; the rest of the dashboard stays. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    const text = shellMessages.now();
    return (
      <EmptyState
        title={text.pageBroke}
        // After an update of the server the files of the old dashboard are gone: loading it again gets the new ones.
        action={<Button onClick={() => window.location.reload()}>{text.reload}</Button>}
      >
        {messageOf(error)}
      </EmptyState>
    );
  }
}
