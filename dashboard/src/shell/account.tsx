import { ActionIcon } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { call } from "../api/client.ts";
import { useSession } from "../api/queries.ts";
import { IconLogOut } from "../components/icons.ts";
import { toastDone, toastFault } from "../components/toast.tsx";
import { shellMessages } from "../messages/shell.ts";
import { paths } from "../router.ts";

/** Logging out, where somebody is logged in. */
export function AccountButton() {
  const text = shellMessages.use();
  const { data: session } = useSession();
  const logOut = useLogOut();
  if (session?.via !== "session") return null;
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      onClick={() => void logOut()}
      aria-label={text.logOut}
      title={text.logOut}
    >
      <IconLogOut size={18} />
    </ActionIcon>
  );
}

export function useLogOut(): () => Promise<void> {
  const client = useQueryClient();
  const [, navigate] = useLocation();
  return async () => {
    try {
      await call("logout");
    } catch (error) {
      toastFault(error);
      return;
    }
    navigate(paths.login());
    client.clear(); // nothing of what was seen stays in the page
    toastDone(shellMessages.now().loggedOut);
  };
}
