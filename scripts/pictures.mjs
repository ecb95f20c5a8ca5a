// Takes the README's pictures of the dashboard: a server with some functions and calls, in a browser without a window.
//   npm run pictures        writes docs/pictures/*.png; needs Chromium and what the tests need
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openBrowser } from "../test/browser/browser-under-test.ts";
import { startServer } from "../test/server-under-test.ts";
import { smallPng } from "./small-png.mjs";

const FOLDER = join(import.meta.dirname, "../docs/pictures");
const SIZE = { width: 1280, height: 800 };
const MAX_BYTES = 200 * 1024; // a README that loads at once
/** Until the curve of calls looks like one; it has a point every five seconds. */
const TRAFFIC_MS = 150_000;
/** So that it is taken while there is something to see. */
const AFTERWARDS_MS = 2_000;
const WARMING_CALLS = 50; // as a function is that is in use
const BETWEEN_CALLS_MS = 150;

const PRICE = `interface Item {
  price: number;
  count: number;
}

/** What an order costs, with what the customer saves. */
export default async (request: Request): Promise<Response> => {
  const { id, items } = await readOrder(request);
  console.log(\`order \${id}, items: \${items.length}\`);

  let sum = 0;
  for (const { price, count } of items) sum += price * count;
  const discount = sum >= 100 ? sum * 0.1 : 0;
  console.log("discount", discount.toFixed(2));

  return Response.json({ id, sum, discount, total: sum - discount });
};

async function readOrder(request: Request) {
  return (await request.json()) as { id: number; items: Item[] };
}
`;
const ORDER = `{ "id": 4711, "items": [
  { "price": 59, "count": 2 }
] }`;
const FUNCTIONS = [
  { name: "shop/price", language: "typescript", code: PRICE, description: "What an order costs" },
  {
    name: "shop/stock",
    language: "python",
    code: "def handler(event, context):\n    return {'left': len(event['query'].get('item', '')) * 7}\n",
  },
  {
    name: "greet",
    language: "javascript",
    code: "export default (request) => new Response(`hello ${new URL(request.url).searchParams.get('name')}`);\n",
  },
  { name: "edge/route", language: "lua", code: "function handler(ctx, event)\n  return { to = 'eu-1' }\nend\n" },
  {
    name: "mail/welcome",
    language: "python",
    code: "def handler(event, context):\n    if 'to' not in event['query']:\n        raise ValueError('nobody to write to')\n    return 'sent'\n",
    schedule: { cron: "0 9 * * MON-FRI", timeZone: "Europe/Berlin", paused: true },
  },
];

const server = await startServer({ MAX_CONTAINERS: "8", BASE_URL: "http://localhost:8080" });
const browser = await openBrowser();
try {
  for (const settings of FUNCTIONS) await post("/api/functions", settings);
  mkdirSync(FOLDER, { recursive: true });
  const homeAtMs = Date.now() + TRAFFIC_MS;
  await Promise.all([callThemAll(homeAtMs + AFTERWARDS_MS), takeFunction().then(() => takeHome(homeAtMs))]);
} finally {
  await browser.close();
  await server.dispose();
}

async function callThemAll(endAtMs) {
  for (let n = 0; Date.now() < endAtMs; n++) {
    const rush = 1 + Math.round(4 * Math.abs(Math.sin(n / 45)));
    const calls = [
      () => fetch(`${server.url}/fn/greet?name=ada`),
      () => fetch(`${server.url}/fn/shop/price`, { method: "POST", body: ORDER }),
      () => fetch(`${server.url}/fn/shop/stock?item=lamp`),
      () => fetch(`${server.url}/fn/edge/route`),
      () => fetch(`${server.url}/fn/mail/welcome${n % 80 === 4 ? "" : "?to=ada"}`),
    ];
    await Promise.all(calls.slice(0, rush).map(async (call) => await (await call()).arrayBuffer()));
    await delay(BETWEEN_CALLS_MS);
  }
}

async function takeHome(atMs) {
  const page = await open("light", "/ui/");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await delay(Math.max(0, atMs - Date.now()));
  await take(page, "home.png");
}

async function takeFunction() {
  for (let n = 0; n < WARMING_CALLS; n++) await post("/fn/shop/price", ORDER);
  const page = await open("dark", "/ui/functions/shop%2Fprice/code", 880);
  await page.locator("[data-editor=ready] .view-line").first().waitFor();
  await page.getByLabel("Input (JSON)").fill(ORDER);
  await page.getByRole("button", { name: /^Run/ }).click();
  await page.getByLabel("Answer", { exact: true }).waitFor();
  await page.locator("h1").click(); // no field has the focus
  await take(page, "function.png");
}

async function open(colorScheme, path, height = SIZE.height) {
  const context = await browser.newContext({
    ...{ baseURL: server.url, viewport: { ...SIZE, height }, deviceScaleFactor: 2, locale: "en-US", colorScheme },
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  await page.goto(path);
  return page;
}

async function take(page, name) {
  const picture = smallPng(await page.screenshot());
  await page.context().close();
  process.stdout.write(`docs/pictures/${name}: ${Math.ceil(picture.length / 1024)} KiB\n`);
  if (picture.length > MAX_BYTES) throw new Error(`${name} has ${picture.length} bytes (max ${MAX_BYTES})`);
  writeFileSync(join(FOLDER, name), picture);
}

async function post(path, body) {
  const response = await server.post(path, body);
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
}
