/**
 * Puts `text` on the clipboard. Browsers give the way to it only to pages of https and of this machine; a server in one's own
 * network is often neither, so there is the old way, too.
 *
 * Rejects where the browser allows neither.
 */
export async function copyText(text: string): Promise<void> {
  const { clipboard } = navigator as { readonly clipboard?: Clipboard };
  if (clipboard !== undefined) {
    await clipboard.writeText(text);
    return;
  }
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed"; // or the page would scroll to it
  document.body.append(field);
  field.select();
  // oxlint-disable-next-line typescript/no-deprecated -- what has replaced it is what this page may not use
  const isDone = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  if (!isDone) throw new Error("the browser does not let this page copy");
}
