import { Stack } from "@mantine/core";
import { useMay } from "../../api/queries.ts";
import type { FunctionWithAll } from "../../api/schema.ts";
import { DangerZone } from "./danger-zone.tsx";
import { ScheduleSection } from "./schedule/schedule-section.tsx";
import { Secrets } from "./secrets.tsx";
import { SettingsForm } from "./settings-form.tsx";
import { formOf } from "./settings-values.ts";
import { Variables } from "./variables.tsx";

/** Everything that can be set, one form for what belongs together. */
export default function SettingsTab({ stored }: { stored: FunctionWithAll }) {
  const mayDeploy = useMay("deploy");
  return (
    <Stack gap="xl">
      <fieldset disabled={!mayDeploy} style={{ all: "unset", display: "contents" }}>
        <SettingsForm key={JSON.stringify(formOf(stored))} stored={stored} />
        <ScheduleSection stored={stored} />
        <Variables key={JSON.stringify(stored.env)} stored={stored} />
        <Secrets stored={stored} />
        <DangerZone stored={stored} />
      </fieldset>
    </Stack>
  );
}
