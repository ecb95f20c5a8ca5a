/** What went wrong, without where: the stack and the lines of code are for a page with room. */
export function firstLine(error: string | undefined): string | undefined {
  return error?.trimStart().split("\n", 1)[0];
}
