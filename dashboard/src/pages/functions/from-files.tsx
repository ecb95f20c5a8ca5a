import { Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useLocation } from "wouter";
import { call, send, urlOf } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import { ROUTES } from "../../api/schema.ts";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { IconUpload } from "../../components/icons.ts";
import { languageName } from "../../components/language-mark.tsx";
import { toastDone } from "../../components/toast.tsx";
import { useFormat } from "../../i18n/format.ts";
import { functionsMessages } from "../../messages/functions.ts";
import { paths } from "../../router.ts";
import classes from "./from-files.module.css";
import type { NewFunctionProps } from "./from-template.tsx";
import { type Program, programOfChoice, programOfDrop, UnfitFiles } from "./read-files.ts";

const MAX_LISTED = 12;

export function FromFiles({ taken, languages = [] }: NewFunctionProps) {
  const text = functionsMessages.use();
  const format = useFormat();
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const [program, setProgram] = useState<Program>();
  const [name, setName] = useState("");
  const [chosenLanguage, setLanguage] = useState("");
  const [unfit, setUnfit] = useState<UnfitFiles>();

  // What this server runs may be known later than what the files are.
  const guessed = program?.language !== undefined && languages.includes(program.language) ? program.language : "";
  const language = chosenLanguage === "" ? guessed : chosenLanguage;

  const { mutate, isPending, error } = useMutation({
    async mutationFn(given: Program) {
      await deploy(given, name, language);
      await client.invalidateQueries({ queryKey: keys.functions });
    },
    onSuccess() {
      toastDone(text.made(name));
      navigate(paths.function(name));
    },
  });
  async function take(reading: Promise<Program>): Promise<void> {
    setUnfit(undefined);
    try {
      const read = await reading;
      setProgram(read);
      setName(read.name);
      setLanguage("");
    } catch (fault) {
      if (!(fault instanceof UnfitFiles)) throw fault;
      setUnfit(fault);
    }
  }

  return (
    <Stack gap="lg" maw="44rem">
      <DropZone onTake={(reading) => void take(reading)} />
      {unfit === undefined ? null : (
        <Text c="var(--cloche-bad)" role="alert">
          {
            {
              empty: text.filesEmpty,
              "too-big": text.filesTooBig,
              "too-many": text.filesTooMany,
              "not-text": text.fileNotText(unfit.path),
            }[unfit.reason]
          }
        </Text>
      )}
      {program === undefined ? null : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            mutate(program);
          }}
        >
          <Stack gap="md">
            <Text size="sm" c="dimmed">
              {text.filesTaken(program.paths.length, format.bytes(program.bytes))}:{" "}
              {program.paths.slice(0, MAX_LISTED).join(", ")}
              {program.paths.length > MAX_LISTED ? ", …" : ""}
            </Text>
            <Group align="flex-start" grow preventGrowOverflow={false}>
              <TextInput
                label={text.name}
                description={taken.has(name) ? text.newVersionOf(name) : text.url(name)}
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
                spellCheck={false}
                required
              />
              <Select
                label={text.language}
                description={text.languageHint}
                data={languages.map((value) => ({ value, label: languageName(value) }))}
                value={language === "" ? null : language}
                onChange={(value) => setLanguage(value ?? "")}
                required
              />
            </Group>
            {error === null ? null : <FaultNotice error={error} />}
            <Button
              type="submit"
              loading={isPending}
              disabled={name === "" || language === ""}
              className={classes.create}
            >
              {text.create}
            </Button>
          </Stack>
        </form>
      )}
    </Stack>
  );
}

async function deploy(program: Program, name: string, language: string): Promise<void> {
  if (program.kind === "zip" || program.kind === "binary") {
    await send(urlOf(ROUTES.putFunction[1], { id: name }, { language }), {
      method: "PUT",
      body: program.kind === "zip" ? program.archive : program.binary,
      headers: { "Content-Type": program.kind === "zip" ? "application/zip" : "application/octet-stream" },
    });
    return;
  }
  const { kind } = program;
  const body = kind === "code" ? { language, code: program.code } : { language, files: { ...program.files } };
  await call("putFunction", { params: { id: name }, body });
}

function DropZone({ onTake }: { onTake: (reading: Promise<Program>) => void }) {
  const text = functionsMessages.use();
  const file = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [isOver, setIsOver] = useState(false);
  const choose = (files: FileList | null): void => {
    if (files !== null && files.length > 0) onTake(programOfChoice(files));
  };
  return (
    <div
      className={classes.zone}
      data-over={isOver}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        onTake(programOfDrop(event.dataTransfer.items));
      }}
    >
      <IconUpload size={28} className={classes.icon} />
      <Text fw={600}>{text.drop}</Text>
      <Text size="sm" c="dimmed">
        {text.dropHint}
      </Text>
      <Group gap="sm" mt="xs">
        <Button variant="default" onClick={() => file.current?.click()}>
          {text.chooseFile}
        </Button>
        <Button variant="default" onClick={() => folder.current?.click()}>
          {text.chooseFolder}
        </Button>
      </Group>
      <input
        ref={file}
        type="file"
        hidden
        multiple
        aria-label={text.chooseFile}
        onChange={(event) => choose(event.currentTarget.files)}
      />
      <input
        ref={folder}
        type="file"
        hidden
        aria-label={text.chooseFolder}
        // React's types do not know it; every browser does.
        {...{ webkitdirectory: "" }}
        onChange={(event) => choose(event.currentTarget.files)}
      />
    </div>
  );
}
