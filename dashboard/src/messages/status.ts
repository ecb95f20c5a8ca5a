import { messages } from "../i18n/messages.ts";
import { en } from "./status.en.ts";
import { zh } from "./status.zh.ts";

export const statusMessages = messages(en, zh);
