import { ActionIcon, AppShell, Burger, Group, NavLink, ScrollArea, UnstyledButton } from "@mantine/core";
import { useDisclosure, useHotkeys, useMediaQuery } from "@mantine/hooks";
import { lazy, type ReactNode, Suspense, useEffect } from "react";
import { Link, useLocation } from "wouter";
import { ClocheLogo } from "../components/cloche-logo.tsx";
import { IconBook, IconExternal, IconSearch } from "../components/icons.ts";
import { shellMessages } from "../messages/shell.ts";
import { paths } from "../router.ts";
import { AccountButton } from "./account.tsx";
import { NAVIGATION } from "./navigation.ts";
import { LanguageSwitch, ThemeSwitch } from "./preferences.tsx";
import classes from "./shell.module.css";
import { useShortcuts } from "./shortcuts.ts";

const Palette = lazy(() => import("./palette.tsx"));
const ShortcutsHelp = lazy(() => import("./shortcuts-help.tsx"));

/** What stands around every page: where one is, where one can go, and how to find the rest. */
export function Shell({ children }: { children: ReactNode }) {
  const text = shellMessages.use();
  const [isOpen, { toggle, close }] = useDisclosure();
  const [location] = useLocation();
  const [helpIsOpen, help] = useDisclosure();
  const [paletteIsOpen, palette] = useDisclosure();
  useShortcuts(help.open);
  useHotkeys([["mod+K", palette.open]], []);
  useEffect(close, [location, close]); // on a phone the menu covers the page that was chosen

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 224, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
      padding={0}
      classNames={{ header: classes.header, navbar: classes.navbar }}
    >
      <a href="#main" className={classes.skip}>
        {text.skipToContent}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={text.menu} />
            <Link href={paths.home} className={classes.brand}>
              <ClocheLogo size={26} />
              Cloche
            </Link>
          </Group>
          <Group gap={4} wrap="nowrap">
            <SearchButton onClick={palette.open} />
            <LanguageSwitch />
            <ThemeSwitch />
            <AccountButton />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label={text.mainNavigation}>
        <ScrollArea flex={1}>
          {NAVIGATION.map(({ page, path, Icon }) => (
            <NavLink
              key={path}
              component={Link}
              href={path}
              label={text[page]}
              leftSection={<Icon size={18} />}
              active={isWithin(location, path)}
              aria-current={isWithin(location, path) ? "page" : undefined}
              className={classes.link}
            />
          ))}
        </ScrollArea>
        <NavLink
          href="/docs"
          target="_blank"
          label={text.apiDocs}
          leftSection={<IconBook size={18} />}
          rightSection={<IconExternal size={14} />}
          className={classes.link}
        />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        {children}
      </AppShell.Main>
      <Suspense>
        {paletteIsOpen ? <Palette onClose={palette.close} /> : null}
        {helpIsOpen ? <ShortcutsHelp onClose={help.close} /> : null}
      </Suspense>
    </AppShell>
  );
}

function SearchButton({ onClick }: { onClick: () => void }) {
  const text = shellMessages.use();
  const isNarrow = useMediaQuery("(max-width: 48em)");
  if (isNarrow) {
    return (
      <ActionIcon variant="subtle" color="gray" size="lg" onClick={onClick} aria-label={text.searchEverything}>
        <IconSearch size={18} />
      </ActionIcon>
    );
  }
  return (
    <UnstyledButton
      className={classes.search}
      onClick={onClick}
      title={text.searchEverything}
      aria-keyshortcuts="Control+K"
    >
      <IconSearch size={16} />
      <span>{text.search}</span>
      <kbd aria-hidden="true">Ctrl K</kbd>
    </UnstyledButton>
  );
}

function isWithin(location: string, path: string): boolean {
  if (path === paths.home) return location === "/";
  if (path === paths.functions && location === "/new") return true;
  return location === path || location.startsWith(`${path}/`);
}
