// Says hello to whoever is named in the query; an API Gateway handler.
import type { HttpEvent } from "cloche";

export const handler = (event: HttpEvent): { hello: string } => ({
  hello: event.queryStringParameters?.["name"] ?? "world",
});
