import { Button, Group, Select, Text, TextInput } from "@mantine/core";
import { useDeferredValue } from "react";
import { Link, useLocation } from "wouter";
import { useFunctions, useMay } from "../../api/queries.ts";
import { ClocheLogo } from "../../components/cloche-logo.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { IconPlus, IconSearch } from "../../components/icons.ts";
import { languageName } from "../../components/language-mark.tsx";
import { Page, PageLoading } from "../../components/page.tsx";
import { functionsMessages } from "../../messages/functions.ts";
import { shellMessages } from "../../messages/shell.ts";
import { paths, useQueryState } from "../../router.ts";
import { useAllCalls, useLastFailures } from "./activity.ts";
import { arrange, type Sort, SORTS, type State, STATES } from "./arrange.ts";
import { FunctionsList } from "./functions-list.tsx";
import classes from "./functions-page.module.css";

/** Every function: found, sorted, one click from its page. */
export default function FunctionsPage() {
  const text = functionsMessages.use();
  const shell = shellMessages.use();
  const mayDeploy = useMay("deploy");
  const { data: functions, error, refetch } = useFunctions();
  return (
    <Page
      title={shell.functions}
      description={functions === undefined ? "\u00a0" : text.count(functions.length)}
      actions={
        mayDeploy ? (
          <Button component={Link} href={paths.newFunction()} leftSection={<IconPlus size={16} />}>
            {shell.newFunction}
          </Button>
        ) : undefined
      }
    >
      {error === null ? null : <FaultNotice error={error} onRetry={() => void refetch()} />}
      {functions === undefined ? (
        error === null && <PageLoading />
      ) : functions.length === 0 ? (
        <EmptyState
          icon={<ClocheLogo size={56} />}
          title={text.none}
          action={
            <Button component={Link} href={paths.newFunction()} mt="sm">
              {text.makeFirst}
            </Button>
          }
        >
          {text.noneHint}
        </EmptyState>
      ) : (
        <Found functions={functions} />
      )}
    </Page>
  );
}

function Found({ functions }: { functions: NonNullable<ReturnType<typeof useFunctions>["data"]> }) {
  const text = functionsMessages.use();
  const [search, setSearch] = useQueryState("search");
  const [language, setLanguage] = useQueryState("language");
  const [state, setState] = useQueryState("state");
  const [sort, setSort] = useQueryState("sort");
  const [, navigate] = useLocation();
  const failures = useLastFailures();
  const { data: calls } = useAllCalls(sort === "calls");
  const wanted = {
    search: useDeferredValue(search), // typing does not wait for a thousand rows
    language,
    state: STATES.find((one) => one === state) ?? ("" as const),
    sort: SORTS.find((one) => one === sort) ?? ("name" as const),
  };
  const found = arrange(functions, wanted, failures, calls);
  const languages = [...new Set(functions.flatMap((one) => one.language ?? []))].sort();
  const stateNames: Record<State, string> = { active: text.active, failing: text.failing, disabled: text.disabled };
  const sortNames: Record<Sort, string> = {
    name: text.byName,
    updated: text.byUpdated,
    created: text.byCreated,
    calls: text.byCalls,
    error: text.byError,
  };
  return (
    <>
      <Group gap="sm" mb="md" className={classes.filters}>
        <TextInput
          className={classes.search}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          placeholder={text.search}
          aria-label={text.search}
          leftSection={<IconSearch size={16} />}
          data-page-search
          type="search"
        />
        <Select
          className={classes.filter}
          aria-label={text.language}
          data={[
            { value: "", label: text.anyLanguage },
            ...languages.map((value) => ({ value, label: languageName(value) })),
          ]}
          value={language}
          onChange={(value) => setLanguage(value ?? "")}
          allowDeselect={false}
        />
        <Select
          className={classes.filter}
          aria-label={text.state}
          data={[{ value: "", label: text.anyState }, ...STATES.map((value) => ({ value, label: stateNames[value] }))]}
          value={wanted.state}
          onChange={(value) => setState(value ?? "")}
          allowDeselect={false}
        />
        <Select
          className={classes.filter}
          aria-label={text.sort}
          data={SORTS.map((value) => ({ value, label: sortNames[value] }))}
          value={wanted.sort}
          onChange={(value) => setSort(value === "name" ? "" : (value ?? ""))}
          allowDeselect={false}
        />
      </Group>
      <Text size="sm" c="dimmed" mb="xs" role="status">
        {found.length === functions.length ? "" : text.found(found.length, functions.length)}
      </Text>
      {found.length === 0 ? (
        <EmptyState
          title={text.nothingFound}
          action={
            <Button variant="default" onClick={() => navigate(paths.functions, { replace: true })}>
              {text.showAll}
            </Button>
          }
        />
      ) : (
        <FunctionsList functions={found} failures={failures} />
      )}
    </>
  );
}
