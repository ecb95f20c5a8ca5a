import { messages } from "../i18n/messages.ts";
import { en } from "./templates.en.ts";
import { zh } from "./templates.zh.ts";

export const templatesMessages = messages(en, zh);
