export const en = {
  running: "Running",
  success: "Success",
  error: "Error",
  timeout: "Timed out",
  oom: "Out of memory",
  killed: "Killed",
  cancelled: "Cancelled",
};
