// A job for a schedule: keeps the time of its last ten runs. Its schedule is among its settings; a call runs it at once.
import { kv } from "cloche";

export default async () => {
  const runs = [new Date().toISOString(), ...((await kv.get("runs")) ?? [])].slice(0, 10);
  await kv.set("runs", runs);
  console.log(`run at ${runs[0]}`);
  return Response.json({ runs });
};
