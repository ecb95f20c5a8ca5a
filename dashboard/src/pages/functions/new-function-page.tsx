import { SegmentedControl } from "@mantine/core";
import { useMemo } from "react";
import { useFunctions, useSystem } from "../../api/queries.ts";
import { Page } from "../../components/page.tsx";
import { functionsMessages } from "../../messages/functions.ts";
import { shellMessages } from "../../messages/shell.ts";
import { useQueryState } from "../../router.ts";
import { FromFiles } from "./from-files.tsx";
import { FromTemplate } from "./from-template.tsx";

/** A function from a template, or from files that are there already. */
export default function NewFunctionPage() {
  const text = functionsMessages.use();
  const shell = shellMessages.use();
  const [from, setFrom] = useQueryState("from");
  const { data: system } = useSystem(false);
  const { data: functions } = useFunctions();
  const taken = useMemo(() => new Set(functions?.map(({ name }) => name)), [functions]);
  const unbuilt = new Set(system?.builders?.filter(({ found }) => !found).map(({ language }) => language));
  const languages = system?.runtimes
    .flatMap((runtime) => (runtime.found ? runtime.languages : []))
    .filter((language) => !unbuilt.has(language));
  return (
    <Page title={shell.newFunction} description={text.newHint}>
      <SegmentedControl
        mb="lg"
        aria-label={shell.newFunction}
        value={from === "files" ? "files" : "template"}
        onChange={(value) => setFrom(value === "files" ? "files" : "")}
        data={[
          { value: "template", label: text.fromTemplate },
          { value: "files", label: text.fromFiles },
        ]}
      />
      {from === "files" ? (
        <FromFiles taken={taken} languages={languages} />
      ) : (
        <FromTemplate taken={taken} languages={languages} />
      )}
    </Page>
  );
}
