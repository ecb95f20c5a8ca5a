import { messages } from "../i18n/messages.ts";
import { en } from "./functions.en.ts";
import { zh } from "./functions.zh.ts";

export const functionsMessages = messages(en, zh);
