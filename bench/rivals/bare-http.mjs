// The physical limit: reads the body, answers the bytes that a warm hello answers, does nothing else.
import { createServer } from "node:http";
import { HELLO, tellPort } from "./listen.mjs";

const headers = { "Content-Type": "application/json; charset=utf-8", "Content-Length": HELLO.length };

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    Buffer.concat(chunks).toString("utf8");
    response.writeHead(200, headers);
    response.end(HELLO);
  });
});
server.listen(0, "127.0.0.1", () => tellPort(server.address().port));
