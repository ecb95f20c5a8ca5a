// P5: how long is it from an upload to the first response of what was uploaded?
import { paced, postOk } from "./client.ts";
import { INPUT, type Language, LANGUAGES, newHello } from "./languages.ts";
import { startOurs } from "./rivals.ts";
import { median, percentile } from "./stats.ts";
import { ms, type Row, type Table } from "./table.ts";

const ROUNDS = 5;
const DEPLOYS_A_ROUND = 5;
const PER_SECOND = 5;
const MOST_MS: Readonly<Record<Language, number>> = { javascript: 60, python: 60, lua: 60, typescript: 100 }; // P5

export async function deploy(): Promise<Table[]> {
  const ours = await startOurs();
  const samples = new Map<Language, { readonly uploadMs: number; readonly totalMs: number }[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < LANGUAGES.length; turn++) {
      const language = LANGUAGES[(round + turn) % LANGUAGES.length] ?? "javascript";
      const deploys = await paced(DEPLOYS_A_ROUND, PER_SECOND, async () => {
        const path = `deploy/${language}`;
        const upload = await postOk(`${ours.url}/upload`, { path, language, code: newHello(language) });
        const first = await postOk(`${ours.url}/run/${path}`, { input: INPUT });
        return { uploadMs: upload.ms, totalMs: upload.ms + first.ms };
      });
      samples.set(language, [...(samples.get(language) ?? []), ...deploys]);
    }
  }
  await ours.stop();
  const rows = LANGUAGES.map((language): Row => {
    const uploads = (samples.get(language) ?? []).map(({ uploadMs }) => uploadMs);
    const totals = (samples.get(language) ?? []).map(({ totalMs }) => totalMs);
    const p50Ms = median(totals);
    return {
      what: language,
      ours: `${ms(p50Ms)} / ${ms(percentile(totals, 0.99))} (the upload alone ${ms(median(uploads))})`,
      target: `p50 ≤ ${ms(MOST_MS[language])}`,
      ok: p50Ms <= MOST_MS[language],
    };
  });
  return [{ title: `Upload to first response (P5), p50 / p99 of ${ROUNDS * DEPLOYS_A_ROUND}`, rows }];
}
