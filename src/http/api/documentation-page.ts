// The OpenAPI document as one plain page: no script, nothing from another host, a hundred times smaller than a viewer.
import { createHash } from "node:crypto";

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
summary { cursor: pointer; padding: .3rem 0 }
summary code { font-weight: 600 }
details { border-top: 1px solid #8884; padding: 0 0 .3rem }
details > *:not(summary) { margin-left: 1.5rem }
pre { overflow: auto; padding: .6rem; background: #8881; font-size: 13px }
table { border-collapse: collapse } td, th { text-align: left; padding: .1rem .8rem .1rem 0; vertical-align: top }
.method { display: inline-block; min-width: 4.5rem; font: 600 13px monospace }
`;

/** Whatever got into the page, it could load and run nothing. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly "x-scope"?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema?: object;
  }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: object }>> };
  readonly responses?: Readonly<
    Record<
      string,
      { readonly description?: string; readonly content?: Readonly<Record<string, { readonly schema?: object }>> }
    >
  >;
}

interface OpenapiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, object>> };
}

/** @param document OpenAPI 3.1 */
export function documentationPage(document: object): string {
  const { info, tags = [], paths = {}, components } = document as OpenapiDocument;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = tags.map(({ name, description = "" }) => {
    const own = operations.filter(({ operation }) => operation.tags?.includes(name) === true);
    const parts = own.map(({ path, method, operation }) => operationHtml(method, path, operation));
    return `<h2 id="${text(name)}">${text(name)}</h2><p>${text(description)}</p>${parts.join("")}`;
  });
  const shapes = Object.entries(components?.schemas ?? {}).map(
    ([name, schema]) =>
      `<details id="shape-${text(name)}"><summary><code>${text(name)}</code></summary>${json(schema)}</details>`,
  );
  const title = `${info.title} ${info.version}`;
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${text(title)}: API</title><style>${STYLE}</style></head><body><h1>${text(title)}: API</h1>` +
    `<p>${text(info.description ?? "")}</p><p>For machines: <a href="/api/openapi.json">/api/openapi.json</a></p>` +
    `${sections.join("")}<h2 id="shapes">Shapes</h2>${shapes.join("")}</body></html>`
  );
}

function operationHtml(method: string, path: string, operation: Operation): string {
  const { summary = "", description, parameters = [], requestBody, responses = {} } = operation;
  const rows = parameters.map(
    ({ name, in: place, required, description = "", schema = {} }) =>
      `<tr><td><code>${text(name)}</code></td><td>${text(place)}${required === true ? ", required" : ""}</td>` +
      `<td>${text(description)} <code>${text(JSON.stringify(schema))}</code></td></tr>`,
  );
  const bodies = Object.entries(requestBody?.content ?? {}).map(
    ([type, { schema = {} }]) => `<p>Body, <code>${text(type)}</code></p>${json(schema)}`,
  );
  const answers = Object.entries(responses).map(([status, { description = "", content = {} }]) => {
    const [schema] = Object.values(content).map((media) => media.schema ?? {});
    return `<p>${text(status)}: ${text(description)}</p>${schema === undefined ? "" : json(schema)}`;
  });
  return (
    `<details><summary><span class="method">${text(method.toUpperCase())}</span> <code>${text(path)}</code> ` +
    `${text(summary)}</summary>${description === undefined ? "" : `<p>${text(description)}</p>`}` +
    `<p>Needs: ${text(operation["x-scope"] ?? "")}</p>` +
    `${rows.length === 0 ? "" : `<table>${rows.join("")}</table>`}${bodies.join("")}${answers.join("")}</details>`
  );
}

function json(schema: object): string {
  return `<pre>${text(JSON.stringify(schema, undefined, 2))}</pre>`;
}

function text(raw: string): string {
  return raw.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
