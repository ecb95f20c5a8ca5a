// What the vectors do not cover.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { failure, returned } from "./worker-under-test.ts";

/** Each: an expression (all of its values count), and what it gives as JSON. */
const CALLS: readonly (readonly [string, string])[] = [
  [
    "json.encode({ b = { 1, 2 }, a = '<x>&', c = {} })",
    '["{\\"a\\":\\"\\\\u003cx\\\\u003e\\\\u0026\\",\\"b\\":[1,2],\\"c\\":{}}"]',
  ],
  ["json.encode(nil)", '["null"]'],
  ["json.encode({ print, x = 1 })", '["{\\"1\\":null,\\"x\\":1}"]'],
  ["json.encode(0/0)", '[null,"json: unsupported value: NaN"]'],
  ["json.encode({ { 1/0 } })", '[null,"json: unsupported value: +Inf"]'],
  ["json.encode((function() local a = {} a[1] = a return a end)())", '[null,"json: unsupported value: a cycle"]'],
  ['json.encode(json.decode(\'{"a":[],"b":{}}\'))', '["{\\"a\\":[],\\"b\\":{}}"]'],
  ["json.decode('[1, 2.5e1, -0, \"a\\\\u00e9\\\\ud83d\\\\ude00\"]')", '[[1,25,0,"aé😀"]]'],
  ["json.decode(' true ')", "[true]"],
  ["json.decode('{\"a\":null}')", "[{}]"],
  ["json.decode('')", '[null,"unexpected end of JSON input"]'],
  ["json.decode('[1,')", '[null,"unexpected end of JSON input"]'],
  ["json.decode('\"abc')", '[null,"unexpected end of JSON input"]'],
  ["json.decode('x')", "[null,\"invalid character 'x' looking for beginning of value\"]"],
  ["json.decode('[1 2]')", "[null,\"invalid character '2' after array element\"]"],
  ["json.decode('{\"a\" 1}')", "[null,\"invalid character '1' after object key\"]"],
  ['json.decode(\'{"a":1 "b"}\')', '[null,"invalid character \'\\"\' after object key:value pair"]'],
  ["json.decode('\\1')", "[null,\"invalid character '\\\\x01' looking for beginning of value\"]"],
  ["json.decode('{a:1}')", "[null,\"invalid character 'a' looking for beginning of object key string\"]"],
  ["json.decode('[1,]')", "[null,\"invalid character ']' looking for beginning of value\"]"],
  ["json.decode('1 2')", "[null,\"invalid character '2' after top-level value\"]"],
  ["json.decode('01')", "[null,\"invalid character '1' after top-level value\"]"],
  ["json.decode('1.x')", "[null,\"invalid character 'x' after decimal point in numeric literal\"]"],
  ["json.decode('1e+')", '[null,"unexpected end of JSON input"]'],
  ["json.decode('-x')", "[null,\"invalid character 'x' in numeric literal\"]"],
  ["json.decode('trux')", "[null,\"invalid character 'x' in literal true (expecting 'e')\"]"],
  ["json.decode('\"\\\\x\"')", "[null,\"invalid character 'x' in string escape code\"]"],
  ["json.decode('\"\\\\u12g4\"')", "[null,\"invalid character 'g' in \\\\u hexadecimal character escape\"]"],
  ["json.decode('\"a\\nb\"')", "[null,\"invalid character '\\\\n' in string literal\"]"],
  ["json.decode('1e999')", '[null,"number 1e999 is too large"]'],
  ["base64.encode('\\0\\255é')", '["AP/DqQ=="]'],
  ["base64.decode('AP/D\\nqQ==') == '\\0\\255é'", "[true]"],
  ["base64.decode('Zm9v!mFy')", '[null,"illegal base64 data at input byte 4"]'],
  ["base64.decode('Zg==x')", '[null,"illegal base64 data at input byte 4"]'],
  ["base64.decode('Zm9vZ')", '[null,"illegal base64 data at input byte 4"]'],
  ["url.decode('%zz')", '[null,"invalid URL escape \\"%zz\\""]'],
  ["url.parse('http://h/?a=1&a=2&b=%zz&c=x%20y').query", '[{"a":["1","2"],"c":"x y"}]'],
  ["url.parse('http://h:x/')", '[null,"parse \\"http://h:x/\\": invalid port \\":x\\" after host"]'],
  ["url.parse('http://a\\1b/')", '[null,"parse \\"http://a\\u0001b/\\": net/url: invalid control character in URL"]'],
  [
    "time.format(1700000000, '2006-01-02 15:04:05.000 Mon Jan _2 002 PM -07:00 MST')",
    '["2023-11-14 22:13:20.000 Tue Nov 14 318 PM +00:00 UTC"]',
  ],
  ["time.format(1.9, '05')", '["01"]'],
  ["time.parse('2023-11-14T22:13:20Z', '2006-01-02T15:04:05Z07:00')", "[1700000000]"],
  ["time.parse('2023-11-15 03:43:20 +0530', '2006-01-02 15:04:05 -0700')", "[1700000000]"],
  ["time.parse('10:13 PM', '03:04 PM') - time.parse('10:13 AM', '03:04 PM')", "[43200]"],
  ["time.parse('2024 060', '2006 002') == time.parse('2024-02-29', '2006-01-02')", "[true]"],
  ["time.parse('2023-13-01', '2006-01-02')", '[null,"parsing time \\"2023-13-01\\": month out of range"]'],
  ["time.parse('2023-02-29', '2006-01-02')", '[null,"parsing time \\"2023-02-29\\": day out of range"]'],
  [
    "time.parse('2023', '2006-01')",
    '[null,"parsing time \\"2023\\" as \\"2006-01\\": cannot parse \\"\\" as \\"-\\""]',
  ],
  ["time.parse('2023x', '2006')", '[null,"parsing time \\"2023x\\": extra text: \\"x\\""]'],
  ["math.abs(time.now() - os.time()) <= 1", "[true]"],
  ["strings.trim('\\t\u00A0 a b\u3000\\n')", '["a b"]'],
  ["strings.trim('   ')", '[""]'],
  ["strings.trimLeft('  a ')", '["a "]'],
  ["strings.trimLeft('  ')", '[""]'],
  ["strings.trimRight(' a \\r\\n')", '[" a"]'],
  ["strings.split('a,b,,c', ',')", '[["a","b","","c"]]'],
  ["strings.join({ 'a', 1, true, 'b' }, '-')", '["a-1--b"]'],
  ["strings.join({}, '-')", '[""]'],
  ["strings.hasPrefix('abc', 'ab')", "[true]"],
  ["strings.hasSuffix('abc', 'bc')", "[true]"],
  ["strings.hasSuffix('c', 'bc')", "[false]"],
  ["strings.contains('a.b', '.')", "[true]"],
  ["strings.contains('ab', '.')", "[false]"],
  ["strings.toUpper('straße ÄÖÜ éσ я')", '["STRAßE ÄÖÜ ÉΣ Я"]'],
  ["strings.toLower('ÀÉ ΣЯ İ')", '["àé σя i"]'],
  ["strings['repeat']('ab', 3)", '["ababab"]'],
  ["strings.rep('ab', 0)", '[""]'],
  ["router.match('/users/5', '/users/:id')", "[true]"],
  ["router.match('/users/5/', '/users/:id')", "[true]"],
  ["router.match('/users', '/users/:id')", "[false]"],
  ["router.match('/Users/5', '/users/:id')", "[false]"],
  ["router.match('', '/')", "[true]"],
  ["router.match('/files/a/b', '/files/*')", "[true]"],
  ["router.match('/files', '/files/*')", "[false]"],
  ["router.match('/a/b/c', '/a/*/c')", "[false]"],
  ["router.params('/users/5/posts/7', '/users/:user/posts/:post')", '[{"post":"7","user":"5"}]'],
  ["router.params('/files/a/b', '/:kind/*')", '[{"kind":"files"}]'],
  ["router.params('/other', '/users/:id')", "[{}]"],
  ["router.path('/users/:id/:idx', { id = 5 })", '["/users/5/:idx"]'],
  ["router.path('users')", '["/users"]'],
  ["router.url('/users')", '[null,"only functions have an address: this code was run without being deployed"]'],
  [
    "crypto.hmac_sha1('The quick brown fox jumps over the lazy dog', 'key')",
    '["de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"]',
  ],
  ["crypto.uuid():match('^%x+-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x+$') ~= nil", "[true]"],
  ["#crypto.uuid()", "[36]"],
  ["#random.id()", "[20]"],
  ["random.id() ~= random.id()", "[true]"],
  ["#random.hex(5)", "[10]"],
  ["#random.bytes(6)", "[8]"],
  ["random.hex(0)", '[null,"size must be greater than 0"]'],
  ["random.int(7, 7)", "[7]"],
  ["random.string(300):find('^%w+$')", "[1,300]"],
];

for (const [call, expected] of CALLS) {
  test(`${call} gives ${expected}`, async (t) => {
    assert.equal(await returned(t, `return { ${call} }`), expected);
  });
}

/** Each: a call with a wrong argument, and the message. */
const WRONG: readonly (readonly [string, string])[] = [
  ["log.info()", "bad argument #1 to info (string expected, got nil)"],
  ["log.warn({})", "bad argument #1 to warn (string expected, got table)"],
  ["json.decode({})", "bad argument #1 to decode (string expected, got table)"],
  ["crypto.hmac_sha256('a')", "bad argument #2 to hmac_sha256 (string expected, got nil)"],
  ["time.format('x', 'y')", "bad argument #1 to format (number expected, got string)"],
  ["time.format(1e300, 'y')", "bad argument #1 to format (seconds out of range)"],
  ["time.sleep()", "bad argument #1 to sleep (number expected, got nil)"],
  ["strings.join('a', 'b')", "bad argument #1 to join (table expected, got string)"],
  ["strings.rep('a', -1)", "bad argument #2 to repeat (count must not be negative)"],
  ["strings.rep('ab', 2^40)", "bad argument #2 to repeat (the result would be longer than 1 GiB)"],
  ["random.int(2, 1)", "bad argument #1 to int (min must be less than or equal to max)"],
  ["random.string(0)", "bad argument #1 to string (length must be greater than 0)"],
  ["router.match('/')", "bad argument #2 to match (string expected, got nil)"],
];

for (const [call, message] of WRONG) {
  test(`${call} raises: ${message}`, async (t) => {
    assert.equal((await failure(t, `${call} return 1`)).message, `script.lua:1: ${message}`);
  });
}

test("random numbers keep to their bounds and reach all of them", async (t) => {
  const code = `
local seen = {}
for _ = 1, 1000 do
  local n = random.int(-1, 1)
  seen[tostring(n)] = true
  local f = random.float()
  if f < 0 or f >= 1 then return "float " .. f end
end
return seen`;

  assert.equal(await returned(t, code), '{"-1":true,"0":true,"1":true}');
});

test("hashes of every length around a block are right", async (t) => {
  const code = `
local found = {}
for length = 0, 260 do
  local text = ("a"):rep(length)
  found[length + 1] = { crypto.md5(text), crypto.sha1(text), crypto.sha256(text), crypto.sha512(text) }
end
return found`;

  const found = JSON.parse(await returned(t, code)) as string[][];

  const expected = Array.from({ length: 261 }, (_, length) =>
    ["md5", "sha1", "sha256", "sha512"].map((name) => createHash(name).update("a".repeat(length)).digest("hex")),
  );
  assert.deepEqual(found, expected);
});

test("base64 of every length comes back as it was", async (t) => {
  const code = `
for length = 0, 260 do
  local text = {}
  for index = 1, length do text[index] = string.char(index % 256) end
  text = table.concat(text)
  if base64.decode(base64.encode(text)) ~= text then return length end
end
return "all"`;

  assert.equal(await returned(t, code), '"all"');
});

test("a sleep lasts as long as asked for", async (t) => {
  const started = performance.now();

  await returned(t, "time.sleep(30) return 1");

  assert.ok(performance.now() - started >= 30);
});

test("no function of ours calls what the script has put in place of a library function", async (t) => {
  const code = `
local spoil = function() spoilt = true return "spoilt" end
for name in pairs(string) do string[name] = spoil end
for _, library in ipairs({ table, math, os, bit }) do for name in pairs(library) do library[name] = spoil end end
type, tostring, pcall, next, select = spoil, spoil, spoil, spoil, spoil
crypto.uuid() random.int(1, 9) random.string(5) random.hex(2) random.bytes(2) random.id() random.float() time.now()
router.params("/a/b", "/:x/*") router.path("/:x", { x = 1 })
kv.get("a") kv.set("a", { 1, "é" }, { ttl = 1 }) kv.listKeys("a") kv.all() kv.incr("a") kv.cas("a", 1, 2) env.set("a", "b")
http.post("http://h/", { headers = { ["X-A"] = "1" }, query = { a = 1 }, body = { 1 }, timeout = 2 })
ai.chat({ provider = "p", model = "m", messages = { { role = "user", content = "c" } } })
email.send({ to = { "a" }, from = "b", subject = "c", text = "d", scheduled_at = 1 })
json.decode("x") json.decode('{"a":[1,"\\\\u00e9"]}') json.encode({ 1.5, "é<" })
print("a", 1) log.info("b") strings.join({ 1 }, ",") strings.toUpper("é")
return spoilt == nil`;

  assert.equal(await returned(t, code), "true");
});

test("what is loaded only when it is used does not need the libraries that the script has broken", async (t) => {
  const broken =
    "for name in pairs(string) do string[name] = error end\nfor name in pairs(table) do table[name] = nil end\n";
  const used =
    "{ crypto.sha256(''), crypto.sha512(''), strings.toUpper('ß é'), time.format(0, '2006'), (time.parse('1971', '2006')) }";

  assert.deepEqual(JSON.parse(await returned(t, `${broken}return ${used}`)), [
    createHash("sha256").digest("hex"),
    createHash("sha512").digest("hex"),
    "ß É",
    "1970",
    31_536_000,
  ]);
});
