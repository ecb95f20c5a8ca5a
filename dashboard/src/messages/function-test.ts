import { messages } from "../i18n/messages.ts";
import { en } from "./function-test.en.ts";
import { zh } from "./function-test.zh.ts";

export const testMessages = messages(en, zh);
