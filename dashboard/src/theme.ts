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

const SANS =
  'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';
const MONO =
  'ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

export const theme = createTheme({
  colors: { glass },
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
