import {
  IconBot,
  IconBraces,
  IconClock,
  IconHash,
  IconRadio,
  IconRoute,
  IconSprout,
  IconWebhook,
} from "../../components/icons.ts";
import type { TemplateId } from "../../templates/templates.ts";

export const TEMPLATE_ICONS: Readonly<Record<TemplateId, typeof IconBot>> = {
  hello: IconSprout,
  "json-api": IconBraces,
  counter: IconHash,
  webhook: IconWebhook,
  router: IconRoute,
  "scheduled-job": IconClock,
  streaming: IconRadio,
  "ai-proxy": IconBot,
};
