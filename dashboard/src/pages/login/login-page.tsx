import { Button, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { ApiError, call, messageOf } from "../../api/client.ts";
import { ClocheLogo } from "../../components/cloche-logo.tsx";
import { loginMessages } from "../../messages/login.ts";
import { paths } from "../../router.ts";
import { LanguageSwitch, ThemeSwitch } from "../../shell/preferences.tsx";
import classes from "./login-page.module.css";

/** Asks for a key, and goes on to where somebody wanted to go. The key itself is not kept: the session is a cookie. */
export default function LoginPage() {
  const text = loginMessages.use();
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const [search] = useSearchParams();
  const [key, setKey] = useState("");
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => call("login", { body: { key: key.trim() } }),
    onSuccess() {
      client.clear();
      navigate(safeNext(search.get("next")), { replace: true });
    },
  });
  useEffect(() => {
    document.title = `${text.title} · Cloche`;
  }, [text]);
  return (
    <main className={classes.page}>
      <form
        className={`card ${classes.form}`}
        onSubmit={(event) => {
          event.preventDefault();
          mutate();
        }}
      >
        <Stack gap="md">
          <Stack gap="xs" align="center" ta="center">
            <ClocheLogo size={56} />
            <Title order={1}>{text.title}</Title>
            <Text size="sm" c="dimmed">
              {text.hint}
            </Text>
          </Stack>
          <PasswordInput
            label={text.key}
            placeholder="clo_…"
            description={text.keyHint}
            value={key}
            onChange={(event) => setKey(event.currentTarget.value)}
            error={error === null ? undefined : faultText(error, text.wrong)}
            visibilityToggleButtonProps={{ "aria-label": text.show }}
            autoComplete="current-password"
            data-autofocus
            autoFocus
          />
          <Button type="submit" loading={isPending} disabled={key.trim() === ""} fullWidth>
            {text.logIn}
          </Button>
        </Stack>
      </form>
      <div className={classes.preferences}>
        <LanguageSwitch />
        <ThemeSwitch />
      </div>
    </main>
  );
}

function faultText(error: unknown, wrong: string): string {
  return error instanceof ApiError && error.code === "LOGIN_FAILED" ? wrong : messageOf(error);
}

/** Only a page of ours: the address may come from anybody. */
function safeNext(next: string | null): string {
  if (next === null || !/^\/(?![/\\])/.test(next) || next.startsWith("/login")) return paths.home;
  return next;
}
