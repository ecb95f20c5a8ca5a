/** What a key may do: `admin` everything; `deploy` bring code and run it; `invoke` run functions that are there; `read` look. */
export const SCOPES = ["admin", "deploy", "invoke", "read"] as const;
export type Scope = (typeof SCOPES)[number];

const GRANTS: Readonly<Record<Scope, readonly Scope[]>> = {
  admin: SCOPES,
  deploy: ["deploy", "invoke", "read"],
  invoke: ["invoke"],
  read: ["read"],
};

export function grants(held: Scope, needed: Scope): boolean {
  return GRANTS[held].includes(needed);
}
