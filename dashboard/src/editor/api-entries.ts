// The platform's API as the editor tells it: docs/python.md and docs/lua.md have the whole of it.

export interface ApiEntry {
  /** What is typed to find it. */
  readonly name: string;
  /** What is written, in the editor's form for snippets. */
  readonly insert: string;
  readonly signature: string;
  readonly says: string;
}

const entry = (name: string, insert: string, signature: string, says: string): ApiEntry => ({
  ...{ name, insert, signature, says },
});

const LEVELS = ["debug", "info", "warn", "error"] as const;
const METHODS = ["get", "post", "put", "patch", "delete", "head"] as const;

export const PYTHON: readonly ApiEntry[] = [
  entry(
    "handler",
    'def handler(event, context):\n    ${1:return {"hello": "world"\\}}\n',
    "def handler(event, context)",
    "Answers calls. `event` has method, path, relativePath, headers, query and body for HTTP.",
  ),
  entry(
    "cloche",
    "from cloche import ${1:kv, log}\n",
    "from cloche import kv, env, log, http",
    "The platform's module.",
  ),
  entry(
    "kv.get",
    "kv.get(${1:key})",
    "kv.get(key, default=None)",
    "The value of a key; `default` where there is none.",
  ),
  entry("kv.set", "kv.set(${1:key}, ${2:value})", "kv.set(key, value, ttl=seconds)", "Keeps any JSON value."),
  entry("kv.delete", "kv.delete(${1:key})", "kv.delete(key) -> bool", "False where there was none."),
  entry("kv.list", 'kv.list("${1}")', 'kv.list(prefix="")', "The keys that begin with `prefix`, sorted."),
  entry("kv.all", 'kv.all("${1}")', 'kv.all(prefix="")', "Keys and values as a dict."),
  entry("kv.incr", "kv.incr(${1:key})", "kv.incr(key, by=1)", "Adds in one step, and returns the sum."),
  entry(
    "kv.cas",
    "kv.cas(${1:key}, ${2:old}, ${3:new})",
    "kv.cas(key, old, new) -> bool",
    "Sets `new` if it is `old`, in one step.",
  ),
  entry("env.get", 'env.get("${1}")', "env.get(name, default=None)", "A variable as it is now."),
  entry("env.set", 'env.set("${1}", ${2:value})', "env.set(name, value)", "Sets a variable of the function."),
  ...LEVELS.map((level) =>
    entry(`log.${level}`, `log.${level}(\${1})`, `log.${level}(*values)`, "A line of the execution's log."),
  ),
  ...METHODS.map((method) =>
    entry(
      `http.${method}`,
      `http.${method}(\${1:url})`,
      `http.${method}(url, headers=, query=, body=, json=, timeout=seconds)`,
      "Any status is an answer: `.status_code`, `.ok`, `.headers`, `.body`, `.text`, `.json()`.",
    ),
  ),
  entry(
    "ai.chat",
    'ai.chat(provider="${1}", model="${2}", messages=[{"role": "user", "content": ${3:text}\\}])',
    "ai.chat(provider, model, messages, …)",
    "Asks a language model.",
  ),
  entry(
    "email.send",
    'email.send(from_="${1}", to="${2}", subject="${3}", text="${4}")',
    "email.send(from_=, to=, subject=, …)",
    "Sends a mail.",
  ),
];

export const LUA: readonly ApiEntry[] = [
  entry(
    "handler",
    'function handler(ctx, event)\n  ${1:return { statusCode = 200, body = { hello = event.query.name or "you" \\} \\}}\nend\n',
    "function handler(ctx, event)",
    "Answers requests with `{ statusCode, headers, body }`. `event` has method, path, relativePath, headers, query, body.",
  ),
  entry("kv.get", "kv.get(${1:key})", "kv.get(key)", "The value; nil where there is none."),
  entry("kv.set", "kv.set(${1:key}, ${2:value})", "kv.set(key, value, { ttl = seconds })", "Keeps a value."),
  entry("kv.delete", "kv.delete(${1:key})", "kv.delete(key)", "Removes a key."),
  entry("kv.listKeys", 'kv.listKeys("${1}")', "kv.listKeys(prefix)", "A sorted list of keys."),
  entry("kv.all", 'kv.all("${1}")', "kv.all(prefix)", "A table of values by key."),
  entry("kv.incr", "kv.incr(${1:key})", "kv.incr(key, by)", "Adds in one step, and returns the sum."),
  entry(
    "kv.cas",
    "kv.cas(${1:key}, ${2:old}, ${3:new})",
    "kv.cas(key, old, new)",
    "Sets `new` if it is `old`, in one step.",
  ),
  entry("env.get", 'env.get("${1}")', "env.get(name)", "A variable, or nil."),
  entry("env.set", 'env.set("${1}", ${2:text})', "env.set(name, text)", "Sets a variable of the function."),
  ...LEVELS.map((level) =>
    entry(`log.${level}`, `log.${level}(\${1})`, `log.${level}(text)`, "A line of the execution's log."),
  ),
  ...METHODS.map((method) =>
    entry(
      `http.${method}`,
      `http.${method}(\${1:url})`,
      `http.${method}(url, { headers, query, body, timeout })`,
      "`{ statusCode, headers, body }` for any status, or `nil, message`.",
    ),
  ),
  entry(
    "json.encode",
    "json.encode(${1:value})",
    "json.encode(value)",
    "JSON text; `nil, message` where it cannot be.",
  ),
  entry("json.decode", "json.decode(${1:text})", "json.decode(text)", "The value of a JSON text."),
  entry(
    "router.match",
    'router.match(event.relativePath, "${1:/users/:id}")',
    "router.match(path, pattern)",
    "Whether a path fits.",
  ),
  entry(
    "router.params",
    'router.params(event.relativePath, "${1:/users/:id}")',
    "router.params(path, pattern)",
    "The named parts of a path.",
  ),
  entry("crypto.sha256", "crypto.sha256(${1:text})", "crypto.sha256(text)", "Hexadecimal."),
  entry("crypto.uuid", "crypto.uuid()", "crypto.uuid()", "A new random id."),
  entry("base64.encode", "base64.encode(${1:bytes})", "base64.encode(bytes)", "Text of any bytes."),
  entry("time.now", "time.now()", "time.now()", "Seconds since 1970."),
  entry(
    "ai.chat",
    'ai.chat { provider = "${1}", model = "${2}", messages = {${3}\\} }',
    "ai.chat { provider, model, messages }",
    "Asks a language model.",
  ),
  entry(
    "email.send",
    'email.send { from = "${1}", to = "${2}", subject = "${3}", text = "${4}" }',
    "email.send { from, to, subject, text }",
    "Sends a mail.",
  ),
];

export const GO: readonly ApiEntry[] = [
  entry(
    "Handler",
    'func Handler(w http.ResponseWriter, r *http.Request) {\n\t${1:fmt.Fprintln(w, "hello")}\n}\n',
    "func Handler(w http.ResponseWriter, r *http.Request)",
    "Answers requests.",
  ),
  entry(
    "fmt.Fprintln",
    "fmt.Fprintln(${1:w}, ${2})",
    "fmt.Fprintln(w io.Writer, a ...any)",
    "Writes a line, here into the response.",
  ),
  entry(
    "http.Error",
    "http.Error(w, ${1:message}, ${2:http.StatusBadRequest})",
    "http.Error(w, message, status)",
    "Answers with an error.",
  ),
  entry(
    "json.NewEncoder",
    "json.NewEncoder(w).Encode(${1:value})",
    "json.NewEncoder(w).Encode(value)",
    "Answers with JSON.",
  ),
  entry("r.URL.Query", 'r.URL.Query().Get("${1}")', "r.URL.Query().Get(name)", "A parameter of the query."),
  entry("os.Getenv", 'os.Getenv("${1}")', "os.Getenv(name)", "A variable or secret of the function."),
  entry("log.Println", "log.Println(${1})", "log.Println(a ...any)", "A line of the execution's log."),
];
