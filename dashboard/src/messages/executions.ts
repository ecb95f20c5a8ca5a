import { messages } from "../i18n/messages.ts";
import { en } from "./executions.en.ts";
import { zh } from "./executions.zh.ts";

export const executionMessages = messages(en, zh);
