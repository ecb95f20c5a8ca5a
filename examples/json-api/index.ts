// Tasks: a JSON API over the key-value store.
//
// GET /  list · POST /  create · GET, PATCH, DELETE /<id>  one of them
import type { HandlerContext } from "cloche";
import { Invalid, parseChanges, parseNew } from "./task.ts";
import { changeTask, createTask, deleteTask, listTasks, readTask } from "./tasks.ts";

export default {
  async fetch(request: Request, _env: unknown, ctx: HandlerContext): Promise<Response> {
    try {
      const id = (ctx.relativePath ?? "/").slice(1);
      return id === "" ? await all(request) : await one(request, id);
    } catch (error) {
      if (error instanceof Invalid) return Response.json({ errors: error.reasons }, { status: 400 });
      throw error;
    }
  },
};

async function all(request: Request): Promise<Response> {
  switch (request.method) {
    case "GET":
      return Response.json({ tasks: await listTasks() });
    case "POST":
      return Response.json(await createTask(parseNew(await jsonOf(request))), { status: 201 });
    default:
      return notAllowed("GET, POST");
  }
}

async function one(request: Request, id: string): Promise<Response> {
  switch (request.method) {
    case "GET":
      return found(await readTask(id));
    case "PATCH":
      return found(await changeTask(id, parseChanges(await jsonOf(request))));
    case "DELETE":
      return (await deleteTask(id)) ? new Response(null, { status: 204 }) : found(undefined);
    default:
      return notAllowed("GET, PATCH, DELETE");
  }
}

async function jsonOf(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    throw new Invalid(["the body is not JSON"]);
  }
}

function found(value: object | undefined): Response {
  return value === undefined ? Response.json({ errors: ["no such task"] }, { status: 404 }) : Response.json(value);
}

function notAllowed(methods: string): Response {
  return Response.json({ errors: [`one of ${methods} is required`] }, { status: 405, headers: { Allow: methods } });
}
