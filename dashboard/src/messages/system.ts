import { messages } from "../i18n/messages.ts";
import { en } from "./system.en.ts";
import { zh } from "./system.zh.ts";

export const systemMessages = messages(en, zh);
