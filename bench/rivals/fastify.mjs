// fastify's hello: the body parsed as JSON, the answer serialized by schema.
import fastify from "fastify";
import { tellPort } from "./listen.mjs";

const text = { type: "string" };
const data = { type: "object", properties: { hello: text } };
const schema = { response: { 200: { type: "object", properties: { data, type: text } } } };

const app = fastify({ bodyLimit: 8 * 1024 * 1024 });
app.post("/run/hello", { schema }, async (request) => ({ data: { hello: request.body.input.name }, type: "json" }));
await app.listen({ port: 0, host: "127.0.0.1" });
tellPort(app.server.address().port);
