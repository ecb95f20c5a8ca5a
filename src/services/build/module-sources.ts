import type { EgressPolicy } from "../../core/egress-policy.ts";
import type { ModuleSources } from "../build.ts";

/**
 * Where builds get modules, and the hosts that they, and the server for them, may connect to for that, which are no others.
 *
 * @param goProxy `off`, or https URLs with commas between
 * @param goSumDb `off`, or a host with or without `+key` behind it
 * @param egress the widest that code may have here; `none` also keeps builds from the network
 */
export function moduleSources(goProxy: string, goSumDb: string, egress: EgressPolicy): ModuleSources {
  if (goProxy === "off" || egress === "none") return { proxy: "off", sumDb: "off", egress: "none" };
  const proxies = goProxy.split(",").map((text) => {
    const { hostname, port } = new URL(text);
    return [`${hostname}:${port || HTTPS_PORT}`, ...(hostname === GOOGLE ? [GOOGLE_STORE] : [])];
  });
  const checksums = goSumDb === "off" ? [] : [`${goSumDb.split("+")[0]}:${HTTPS_PORT}`];
  return { proxy: goProxy, sumDb: goSumDb, egress: [...new Set([...proxies.flat(), ...checksums])] };
}

const HTTPS_PORT = 443;
const GOOGLE = "proxy.golang.org";
/** To where that proxy sends who asks for some of its archives (golang/go#52908). */
const GOOGLE_STORE = "storage.googleapis.com:443";
