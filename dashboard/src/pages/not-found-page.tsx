import { Button } from "@mantine/core";
import { Link } from "wouter";
import { EmptyState } from "../components/empty-state.tsx";
import { Page } from "../components/page.tsx";
import { shellMessages } from "../messages/shell.ts";
import { paths } from "../router.ts";

export default function NotFoundPage() {
  const text = shellMessages.use();
  return (
    <Page title={text.notFound}>
      <EmptyState
        title={text.notFoundHint}
        action={
          <Button component={Link} href={paths.home}>
            {text.toHome}
          </Button>
        }
      />
    </Page>
  );
}
