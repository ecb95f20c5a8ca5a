// Counts its calls. kv is this function's own store; incr reads and writes in one step, so no call is lost.
import { kv } from "cloche";

export default async (): Promise<Response> => Response.json({ count: await kv.incr("count") });
