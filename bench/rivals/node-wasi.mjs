// node-wasi.mjs MODULE cached|per-call: what one would write with Node alone, without a sandbox: a WASI of Node's own and a fresh instance
// for each call, whose stdin and stdout are files, as node:wasi takes descriptors only. `per-call` also reads and compiles the module
// for each call, as the original did.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WASI } from "node:wasi";
import { tellPort } from "./listen.mjs";

const [, , file, way] = process.argv;
const compile = () => new WebAssembly.Module(readFileSync(file));
const cached = way === "cached" ? compile() : undefined;
const dir = mkdtempSync(join(tmpdir(), "cloche-bench-"));
const [input, output] = [join(dir, "in"), join(dir, "out")];
process.on("SIGTERM", () => process.exit());
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

function run(body) {
  writeFileSync(input, body);
  const [stdin, stdout] = [openSync(input, "r"), openSync(output, "w")];
  try {
    const wasi = new WASI({ version: "preview1", args: ["program"], stdin, stdout, returnOnExit: true });
    wasi.start(new WebAssembly.Instance(cached ?? compile(), wasi.getImportObject()));
  } finally {
    closeSync(stdin);
    closeSync(stdout);
  }
  return readFileSync(output);
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const answer = run(Buffer.concat(chunks));
    response.writeHead(200, { "Content-Length": answer.length });
    response.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => tellPort(server.address().port));
