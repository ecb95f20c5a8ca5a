import { messages } from "../i18n/messages.ts";
import { en } from "./shell.en.ts";
import { zh } from "./shell.zh.ts";

export const shellMessages = messages(en, zh);
