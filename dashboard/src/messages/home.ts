import { messages } from "../i18n/messages.ts";
import { en } from "./home.en.ts";
import { zh } from "./home.zh.ts";

export const homeMessages = messages(en, zh);
