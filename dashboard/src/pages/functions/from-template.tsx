import {
  Alert,
  Anchor,
  Button,
  Code,
  Group,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
  UnstyledButton,
} from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { ApiError } from "../../api/client.ts";
import { keys, useSession } from "../../api/queries.ts";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { IconCheck, IconPlay } from "../../components/icons.ts";
import { languageName } from "../../components/language-mark.tsx";
import { toastDone } from "../../components/toast.tsx";
import { useFormat } from "../../i18n/format.ts";
import { functionsMessages } from "../../messages/functions.ts";
import { templatesMessages } from "../../messages/templates.ts";
import { paths, useQueryState } from "../../router.ts";
import { TEMPLATES, templateOf } from "../../templates/templates.ts";
import { createFromTemplate, freeName, tryFunction, type TrialResult } from "../../templates/try.ts";
import classes from "./from-template.module.css";
import { TEMPLATE_ICONS } from "./template-icons.ts";

export interface NewFunctionProps {
  /** Names of the functions that there are. */
  readonly taken: ReadonlySet<string>;
  /** Those that this server runs; undefined while nobody knows. */
  readonly languages: readonly string[] | undefined;
}

export function FromTemplate({ taken, languages }: NewFunctionProps) {
  const text = functionsMessages.use();
  const about = templatesMessages.use();
  const format = useFormat();
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const { data: session } = useSession();
  const [chosenId, setChosenId] = useQueryState("template");
  const [chosenLanguage, setChosenLanguage] = useQueryState("language");
  const [typedName, setTypedName] = useState<string>();
  const [answered, setAnswered] = useState<{ name: string; result: TrialResult }>();

  const template = templateOf(chosenId) ?? TEMPLATES[0];
  const offered = Object.keys(template?.code ?? {}).filter((language) => languages?.includes(language) ?? true);
  const language = offered.includes(chosenLanguage) ? chosenLanguage : (offered[0] ?? "");
  const name = typedName ?? freeName(template?.id ?? "", taken);

  const { mutate, isPending, variables, error, reset } = useMutation({
    async mutationFn({ andCall }: { andCall: boolean }) {
      if (template === undefined) throw new Error("there is no template");
      await createFromTemplate(template, language, name);
      await client.invalidateQueries({ queryKey: keys.functions });
      return { name, result: andCall ? await tryFunction(name, template.trial, session?.via) : undefined };
    },
    onSuccess(made) {
      toastDone(text.made(made.name));
      setTypedName(undefined);
      if (made.result === undefined) navigate(paths.function(made.name));
      else setAnswered({ name: made.name, result: made.result });
    },
  });
  const start = (andCall: boolean): void => {
    setAnswered(undefined);
    mutate({ andCall });
  };
  const nameFault = error instanceof ApiError && /name/i.test(error.message) ? error.message : undefined;

  return (
    <div className={classes.columns}>
      <div role="radiogroup" aria-label={text.template} className={classes.templates}>
        {TEMPLATES.map(({ id }) => {
          const Icon = TEMPLATE_ICONS[id];
          const isChosen = id === template?.id;
          return (
            <UnstyledButton
              key={id}
              role="radio"
              aria-checked={isChosen}
              className={classes.template}
              onClick={() => {
                setChosenId(id);
                setTypedName(undefined);
                setAnswered(undefined);
                reset();
              }}
            >
              <Icon size={20} className={classes.icon} />
              <span>
                <Text fw={600} component="span" display="block">
                  {about[id]}
                </Text>
                <Text size="sm" c="dimmed" component="span">
                  {about[`${id}-about`]}
                </Text>
              </span>
            </UnstyledButton>
          );
        })}
      </div>
      <Stack gap="md" miw={0}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            start(true);
          }}
        >
          <Stack gap="md">
            <SegmentedControl
              aria-label={text.language}
              value={language}
              onChange={setChosenLanguage}
              data={offered.map((value) => ({ value, label: languageName(value) }))}
              className={classes.languages}
            />
            <TextInput
              label={text.name}
              description={text.url(name)}
              value={name}
              onChange={(event) => {
                setTypedName(event.currentTarget.value);
                reset();
              }}
              error={nameFault ?? (typedName !== undefined && taken.has(typedName) ? text.taken : undefined)}
              spellCheck={false}
              required
            />
            {error === null || nameFault !== undefined ? null : <FaultNotice error={error} />}
            <Group gap="sm">
              <Button
                type="submit"
                leftSection={<IconPlay size={16} />}
                loading={isPending && variables.andCall}
                disabled={isPending || name === "" || language === ""}
              >
                {text.createAndCall}
              </Button>
              <Button
                variant="default"
                onClick={() => start(false)}
                loading={isPending && !variables.andCall}
                disabled={isPending || name === "" || language === ""}
              >
                {text.create}
              </Button>
            </Group>
          </Stack>
        </form>
        {answered === undefined ? null : (
          <Alert
            color="glass"
            variant="light"
            icon={<IconCheck size={18} />}
            title={text.itAnswered(format.duration(answered.result.tookMs), answered.result.httpStatus)}
            role="status"
          >
            <Code block className={classes.answer}>
              {answered.result.text}
            </Code>
            <Anchor component={Link} href={paths.function(answered.name)} size="sm" mt="xs" display="inline-block">
              {text.openIt(answered.name)}
            </Anchor>
          </Alert>
        )}
        <Code block className={classes.code} tabIndex={0} aria-label={text.itsCode}>
          {template?.code[language] ?? ""}
        </Code>
      </Stack>
    </div>
  );
}
