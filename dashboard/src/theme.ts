import { createTheme, localStorageColorSchemeManager, type MantineColorsTuple } from "@mantine/core";

/** The green of old bell glass; the one accent there is. */
const glass: MantineColorsTuple = [
  "#e9faf5",
  "#d3f1e8",
  "#a5e3d1",
  "#74d4b9",
  "#4dc7a5",
  "#2fb091",
  "#178a72",
  "#0b7562",
  "#075f50",
  "#034a3e",
];

/** Greys with a little of the same green, so that fields and switches belong to the page in both themes. */
const gray: MantineColorsTuple = [
  "#f7f9f8",
  "#eff3f1",
  "#e3e9e6",
  "#d6ddda",
  "#c3ccc8",
  "#8b9692",
  "#66716d",
  "#47524e",
  "#323b38",
  "#1f2624",
];
const dark: MantineColorsTuple = [
  "#d3dbd7",
  "#b9c3be",
  "#8d9994",
  "#6c7873",
  "#3a4641",
  "#323d39",
  "#222b27",
  "#181f1c",
  "#141a17",
  "#0e1311",
];

const SANS =
  'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';
const MONO =
  'ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

export const theme = createTheme({
  colors: { glass, gray, dark },
  primaryColor: "glass",
  primaryShade: 7, // white on it is 5.6 : 1
  fontFamily: SANS,
  fontFamilyMonospace: MONO,
  headings: {
    fontFamily: SANS,
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.625rem", lineHeight: "1.3" },
      h2: { fontSize: "1.125rem", lineHeight: "1.4" },
      h3: { fontSize: "1rem", lineHeight: "1.45" },
    },
  },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
});

export const colorScheme = localStorageColorSchemeManager({ key: "cloche-theme" }); // public/theme.js reads it, too
