import { messages } from "../i18n/messages.ts";
import { en } from "./function.en.ts";
import { zh } from "./function.zh.ts";

export const functionMessages = messages(en, zh);
