import { IconActivity, IconFunctions, IconHome, IconInbox, IconServer, IconTerminal } from "../components/icons.ts";
import { paths } from "../router.ts";

/** The main pages, and the letter that leads there after `g`. */
export const NAVIGATION = [
  { page: "home", path: paths.home, Icon: IconHome, letter: "h" },
  { page: "functions", path: paths.functions, Icon: IconFunctions, letter: "f" },
  { page: "playground", path: paths.playground, Icon: IconTerminal, letter: "p" },
  { page: "executions", path: paths.executions, Icon: IconActivity, letter: "e" },
  { page: "jobs", path: paths.jobs, Icon: IconInbox, letter: "j" },
  { page: "system", path: paths.system(), Icon: IconServer, letter: "s" },
] as const;
