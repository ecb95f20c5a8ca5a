import { messages } from "../i18n/messages.ts";
import { en } from "./login.en.ts";
import { zh } from "./login.zh.ts";

export const loginMessages = messages(en, zh);
