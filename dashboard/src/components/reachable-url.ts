/** Of all addresses: nobody can be called there. */
const NOBODY = new Set(["0.0.0.0", "[::]"]);

/**
 * The address of a function as it can be given to somebody. A server that listens on every address, and has no `BASE_URL`, names
 * none that works elsewhere; this page came by one that does.
 */
export function reachableUrl(url: string): string {
  const { hostname, pathname } = new URL(url, window.location.href);
  return NOBODY.has(hostname) ? window.location.origin + pathname : url;
}
