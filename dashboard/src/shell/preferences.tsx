import { ActionIcon, Button, useMantineColorScheme } from "@mantine/core";
import { IconMoon, IconSun, IconSunMoon } from "../components/icons.ts";
import { LANGUAGES, setLanguage, useLanguage } from "../i18n/language.ts";
import { shellMessages } from "../messages/shell.ts";

/** Names the other language in that language, for those who cannot read this one. */
export function LanguageSwitch() {
  const text = shellMessages.use();
  const other = useLanguage() === "en" ? "zh" : "en";
  return (
    <Button
      variant="subtle"
      color="gray"
      size="compact-sm"
      fw={500}
      lang={other}
      title={text.switchLanguage(LANGUAGES[other])}
      onClick={() => setLanguage(other)}
    >
      {LANGUAGES[other]}
    </Button>
  );
}

const THEMES = [
  { scheme: "light", name: "themeLight", Icon: IconSun },
  { scheme: "dark", name: "themeDark", Icon: IconMoon },
  { scheme: "auto", name: "themeAuto", Icon: IconSunMoon },
] as const;

/** Goes from one theme to the next: light, dark, as the system. */
export function ThemeSwitch() {
  const text = shellMessages.use();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const at = THEMES.findIndex(({ scheme }) => scheme === colorScheme);
  const { name, Icon } = THEMES[at] ?? THEMES[2];
  const next = THEMES[(at + 1) % THEMES.length] ?? THEMES[0];
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={`${text.theme}: ${text[name]}`}
      title={`${text.theme}: ${text[name]}`}
      onClick={() => setColorScheme(next.scheme)}
    >
      <Icon size={18} />
    </ActionIcon>
  );
}
