import { messages } from "../i18n/messages.ts";
import { en } from "./function-data.en.ts";
import { zh } from "./function-data.zh.ts";

export const dataMessages = messages(en, zh);
