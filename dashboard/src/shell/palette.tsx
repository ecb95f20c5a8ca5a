// Everything from one field: pages, functions, actions. Ctrl-K opens it anywhere.
import { useMantineColorScheme } from "@mantine/core";
import {
  createSpotlight,
  Spotlight,
  type SpotlightActionData,
  type SpotlightActionGroupData,
} from "@mantine/spotlight";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { functionsQuery, useMay, useSession } from "../api/queries.ts";
import {
  IconBook,
  IconFunctions,
  IconLanguages,
  IconLogOut,
  IconPlus,
  IconSearch,
  IconSunMoon,
} from "../components/icons.ts";
import { languageName } from "../components/language-mark.tsx";
import { LANGUAGES, setLanguage, useLanguage } from "../i18n/language.ts";
import { shellMessages } from "../messages/shell.ts";
import { paths } from "../router.ts";
import { useLogOut } from "./account.tsx";
import { NAVIGATION } from "./navigation.ts";

const MAX_SHOWN = 12;

const [store, control] = createSpotlight();

/** Opens itself as soon as it is there. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const text = shellMessages.use();
  const [, navigate] = useLocation();
  const actions = useActions();
  const { data: functions = [] } = useQuery(functionsQuery);
  const [query, setQuery] = useState("");
  useEffect(control.open, []);
  useEffect(() => selectFirst(query)); // each time, since the list may change under what was selected

  const groups: SpotlightActionGroupData[] = [
    {
      group: text.pages,
      actions: NAVIGATION.map(({ page, path, Icon }) => ({
        id: `page-${page}`,
        label: text[page],
        leftSection: <Icon size={18} />,
        onClick: () => navigate(path),
      })),
    },
    { group: text.actions, actions },
    {
      group: text.functions,
      actions: functions.map(({ id, name, language, description }) => ({
        id,
        label: name,
        description: description === "" ? languageName(language ?? "") : description,
        leftSection: <IconFunctions size={18} />,
        onClick: () => navigate(paths.function(name)),
      })),
    },
  ];
  return (
    <Spotlight
      store={store}
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      nothingFound={text.nothingFound}
      highlightQuery
      limit={MAX_SHOWN}
      scrollable
      maxHeight={420}
      onSpotlightClose={onClose}
      attributes={{ content: { "aria-label": text.searchEverything } }}
      searchProps={{
        leftSection: <IconSearch size={18} />,
        autoFocus: true, // the dialog gives it the focus later, and what was typed until then would be lost
        placeholder: text.searchEverything,
        "aria-label": text.searchEverything,
      }}
    />
  );
}

/** The component selects the first of a list that may not be the one that is then shown: Enter would do nothing. */
function selectFirst(query: string): void {
  const dialog = document.querySelector("[role=dialog]:has([data-action])");
  if (query === "" || dialog === null || dialog.querySelector("[data-selected]") !== null) return;
  dialog.querySelector("[data-action]")?.setAttribute("data-selected", "true");
}

function useActions(): SpotlightActionData[] {
  const text = shellMessages.use();
  const [, navigate] = useLocation();
  const language = useLanguage();
  const { setColorScheme } = useMantineColorScheme();
  const { data: session } = useSession();
  const mayDeploy = useMay("deploy");
  const logOut = useLogOut();
  const other = language === "en" ? "zh" : "en";
  const themes = { light: text.themeLight, dark: text.themeDark, auto: text.themeAuto } as const;
  return [
    ...(mayDeploy
      ? [
          {
            id: "new-function",
            label: text.newFunction,
            leftSection: <IconPlus size={18} />,
            onClick: () => navigate(paths.newFunction()),
          },
        ]
      : []),
    {
      id: "language",
      label: text.switchLanguage(LANGUAGES[other]),
      leftSection: <IconLanguages size={18} />,
      onClick: () => setLanguage(other),
    },
    ...(["light", "dark", "auto"] as const).map((scheme) => ({
      id: `theme-${scheme}`,
      label: `${text.theme}: ${themes[scheme]}`,
      leftSection: <IconSunMoon size={18} />,
      onClick: () => setColorScheme(scheme),
    })),
    {
      id: "docs",
      label: text.apiDocs,
      leftSection: <IconBook size={18} />,
      onClick: () => void window.open("/docs", "_blank", "noopener"),
    },
    ...(session?.via === "session"
      ? [{ id: "log-out", label: text.logOut, leftSection: <IconLogOut size={18} />, onClick: () => void logOut() }]
      : []),
  ];
}
