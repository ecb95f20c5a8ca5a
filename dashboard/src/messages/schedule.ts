import { messages } from "../i18n/messages.ts";
import { en } from "./schedule.en.ts";
import { zh } from "./schedule.zh.ts";

export const scheduleMessages = messages(en, zh);
