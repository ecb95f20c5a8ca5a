import type { Fault } from "./faults.ts";
import { ROLLING_RESTART } from "./rolling-restart.ts";
import { CHANGE_FAULTS } from "./lost-messages.ts";
import { CLOCK_FAULTS } from "./clock-jump.ts";
import { DISK_FAULTS } from "./disk-full.ts";
import { SCHEDULE_FAULTS } from "./schedules.ts";
import { UPLOAD_FAULTS } from "./uploads.ts";
import { JOB_FAULTS } from "./job-faults.ts";

export const FAULTS: readonly Fault[] = [
  ...JOB_FAULTS,
  ROLLING_RESTART,
  ...UPLOAD_FAULTS,
  ...SCHEDULE_FAULTS,
  ...DISK_FAULTS,
  ...CLOCK_FAULTS,
  ...CHANGE_FAULTS,
];
