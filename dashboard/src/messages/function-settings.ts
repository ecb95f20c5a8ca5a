import { messages } from "../i18n/messages.ts";
import { en } from "./function-settings.en.ts";
import { zh } from "./function-settings.zh.ts";

export const settingsMessages = messages(en, zh);
