// Takes callbacks, in whatever network it is started in: answers with the statuses of its arguments, one after the other and the last
// one for ever, and tells of each request as a line of JSON.
import { createServer } from "node:http";

const statuses = process.argv.slice(2).map(Number);
let answered = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const status = statuses[Math.min(answered++, statuses.length - 1)] ?? 204;
    const { method, url, headers } = request;
    process.stdout.write(
      `${JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString("utf8"), status })}\n`,
    );
    response.writeHead(status, { "retry-after": "0" }).end();
  });
});
server.listen(0, () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ port: typeof address === "object" ? address?.port : undefined })}\n`);
});
