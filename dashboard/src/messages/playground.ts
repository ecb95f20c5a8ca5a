import { messages } from "../i18n/messages.ts";
import { en } from "./playground.en.ts";
import { zh } from "./playground.zh.ts";

export const playgroundMessages = messages(en, zh);
