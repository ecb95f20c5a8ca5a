// @ts-check

/** @typedef {import("./examine.mjs").Finding} Finding */
/** @typedef {import("./examine.mjs").Machine} Machine */
/** @typedef {import("./settings.mjs").Settings} Settings */

const LOOPBACK = /^(localhost|::1|127\.\d+\.\d+\.\d+)$/;

/**
 * @param {Machine} machine
 * @param {Settings} settings
 * @returns {Promise<Finding[]>}
 */
export async function checkPort(machine, { host, port }) {
  const error = await machine.listen(host, port);
  const address = `${host}:${port}`;
  /** @type {Finding[]} */
  const findings = [
    error === undefined
      ? { id: "port", level: "ok", what: port === 0 ? `any free port of ${host}` : `${address} is free`, canFix: false }
      : {
          id: "port",
          level: "problem",
          cost: "the server does not start",
          canFix: false,
          ...explain(error, host, port),
        },
  ];
  if (!LOOPBACK.test(host)) {
    findings.push({
      id: "open-address",
      level: "warning",
      what: `HOST=${host} is not only for this machine`,
      cost: "a key is required there, and keys and data travel unencrypted",
      fix: ["put a proxy with TLS in front, or keep the network private"],
      canFix: false,
    });
  }
  return findings;
}

/** @type {(error: string, host: string, port: number) => Pick<Finding, "what" | "fix">} */
function explain(error, host, port) {
  switch (error) {
    case "EADDRINUSE":
      return {
        what: `${host}:${port} is taken`,
        fix: [`ss -ltnp 'sport = :${port}' shows by whom`, "or set HTTP_PORT to another port"],
      };
    case "EACCES":
      return {
        what: `this user may not listen on port ${port}`,
        fix: ["set HTTP_PORT to 1024 or more, and put a proxy in front"],
      };
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return { what: `HOST=${host} is no address of this machine`, fix: ["set HOST=127.0.0.1"] };
    default:
      return { what: `listening on ${host}:${port} fails: ${error}` };
  }
}
