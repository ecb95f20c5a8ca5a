/** SIGKILL. A process that has ended already is what we wanted. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended between our learning of it and the kill.
  }
}
