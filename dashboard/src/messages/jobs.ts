import { messages } from "../i18n/messages.ts";
import { en } from "./jobs.en.ts";
import { zh } from "./jobs.zh.ts";

export const jobMessages = messages(en, zh);
