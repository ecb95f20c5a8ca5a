// A small API with routes: GET /, GET /users, GET /users/1
const USERS = new Map([
  ["1", { id: "1", name: "Ada" }],
  ["2", { id: "2", name: "Grace" }],
]);
const ROUTES = [
  ["GET", /^\/$/, () => ({ routes: ["/users", "/users/:id"] })],
  ["GET", /^\/users$/, () => [...USERS.values()]],
  ["GET", /^\/users\/(\w+)$/, (id) => USERS.get(id)],
];

export default {
  async fetch(request, env, ctx) {
    const path = ctx.relativePath || "/";
    const matching = ROUTES.filter(([, pattern]) => pattern.test(path));
    const route = matching.find(([method]) => method === request.method);
    if (matching.length > 0 && route === undefined) return Response.json({ error: "not this method" }, { status: 405 });
    const found = route?.[2](...route[1].exec(path).slice(1));
    return found === undefined ? Response.json({ error: "not found" }, { status: 404 }) : Response.json(found);
  },
};
