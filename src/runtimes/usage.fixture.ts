/** A header without what a worker says that it has used, which no two runs have the same: `test/e2e/usage.test.ts` is about that. */
export function withoutUsage<T>(header: T): T {
  const { cpuUs: _cpuUs, peakKib: _peakKib, ...others } = header as T & { cpuUs?: number; peakKib?: number };
  return others as T;
}
