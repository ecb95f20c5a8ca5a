import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";

/** For a process of ours: the folder of compiled code, without which each start strips types again: 20 MB and 0.2 s. */
export function compileCacheVariable(): { readonly NODE_COMPILE_CACHE?: string } {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
