/** Bits of an execution's `flags`; the last one says that there is something in the index of words. */
export const FLAGS = { coldStart: 1, logsTruncated: 2, hasWords: 4 } as const;
