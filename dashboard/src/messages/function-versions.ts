import { messages } from "../i18n/messages.ts";
import { en } from "./function-versions.en.ts";
import { zh } from "./function-versions.zh.ts";

export const versionMessages = messages(en, zh);
