import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { PlatformError } from "../../core/errors.ts";
import { decodePath } from "../decode.ts";
import { checkPath, parseRun, parseRunNow, parseUpload, versionOf } from "./script-request.ts";

const INVALID = { code: "INVALID_REQUEST" };

suite("an upload", () => {
  test("has a path, code and a language", () => {
    assert.deepEqual(parseUpload('{"path":"p","code":"c","language":"l","more":1}'), {
      path: "p",
      code: "c",
      language: "l",
      egress: undefined,
    });
  });

  test("may ask for less network than there is: a word or hosts", () => {
    const egressOf = (egress: string) =>
      parseUpload(`{"path":"p","code":"c","language":"l","egress":${egress}}`).egress;

    assert.equal(egressOf('"none"'), "none");
    assert.deepEqual(egressOf('"a.example, b.example"'), ["a.example", "b.example"]);
    assert.deepEqual(egressOf('["A.example", "*.b.example:8443"]'), ["a.example", "*.b.example:8443"]);
    assert.equal(egressOf("null"), undefined);
    for (const wrong of ['"http://a.example"', "[]", "[1]", "{}", "true", '""', '["*"]']) {
      assert.throws(() => egressOf(wrong), INVALID, wrong);
    }
  });

  test("is refused where one of them is missing, empty or no string", () => {
    for (const body of ['{"path":"p","code":"c"}', '{"path":"","code":"c","language":"l"}', '{"path":1}', "{}"]) {
      assert.throws(() => parseUpload(body), INVALID, body);
    }
  });
});

suite("a run", () => {
  const inputs: { readonly [body: string]: string } = {
    "": "{}",
    " ": "{}",
    "{}": "{}",
    '{"input":null}': "{}",
    '{"input":" "}': "{}",
    '{"input":{"a":[1]}}': '{"a":[1]}',
    '{"input":0}': "0",
    '{"input":false}': "false",
    '{"input":"[1, 2]"}': "[1, 2]",
    '{"input":"\\"text\\""}': '"text"',
    '{"input":12345678901234567890123}': "12345678901234567890123",
    '{"input":{"id":-9007199254740993}}': '{"id":-9007199254740993}',
    '{"input":{"a":1},"input":{"b":2}}': '{"b":2}',
    '{"input":{"a":1},"inp\\u0075t":{"b":2}}': '{"b":2}',
    '{"input":{"input":{"a":1}}}': '{"input":{"a":1}}',
    '{"input":{"a":1},"other":2}': '{"a":1}',
    ' { "input" : { "a" : 1.0 } } ': '{ "a" : 1.0 }',
  };
  for (const [body, input] of Object.entries(inputs)) {
    test(`with the body '${body}' gets the input ${input}`, () => {
      assert.deepEqual(parseRun(body), { input, stream: false });
    });
  }

  const deep = `{"input":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
  const refused: { readonly [why: string]: string } = {
    "not JSON": "{",
    "an array": "[]",
    "a text": '"{}"',
    "a number": "1",
    "a number of many digits": "12345678901234567890",
    null: "null",
    "a stream that is no boolean": '{"stream":"yes"}',
    "an input that is a string but not JSON": '{"input":"hello"}',
    "an input that is nested too deeply": deep,
  };
  for (const [why, body] of Object.entries(refused)) {
    test(`is refused for ${why}`, () => {
      assert.throws(() => parseRun(body), INVALID);
    });
  }

  test("is streamed where it asks for it", () => {
    assert.equal(parseRun('{"stream":true}').stream, true);
    assert.equal(parseRun('{"stream":null}').stream, false);
  });

  test("gets the input that was sent, however it is written", () => {
    const keys = fc.constantFrom("input", "stream", "other", "inp\u0075t");
    const bodies = fc.tuple(fc.dictionary(keys, fc.jsonValue()), fc.constantFrom(0, 2));
    fc.assert(
      fc.property(bodies, ([fields, indent]) => {
        const body = JSON.stringify({ ...fields, stream: false, input: { value: fields["input"] ?? 0 } }, null, indent);
        const only = JSON.stringify({ input: { value: fields["input"] ?? 0 } }, null, indent);
        for (const text of [body, only])
          assert.deepEqual(JSON.parse(parseRun(text).input), (JSON.parse(text) as { input: unknown }).input);
      }),
    );
  });

  test("never throws anything but a fault, whatever its body", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "grapheme" }), fc.json()), (body) => {
        try {
          JSON.parse(parseRun(body).input);
        } catch (error) {
          assert.ok(error instanceof PlatformError, String(error));
        }
      }),
    );
  });
});

test("a run of code now leaves it to the door to miss language or code", () => {
  assert.deepEqual(parseRunNow("{}"), { input: "{}", stream: false, language: "", code: "", egress: undefined });
  assert.throws(() => parseRunNow('{"language":1}'), INVALID);
  assert.throws(() => parseRunNow('{"code":[]}'), INVALID);
  assert.throws(() => parseRunNow(""), INVALID);
});

test("a path loses its leading slashes", () => {
  assert.equal(checkPath("//a/b.js"), "a/b.js");
});

test("a path of 1,024 bytes is taken; a longer, empty or climbing one, or one with NUL, is not", () => {
  assert.equal(checkPath("é".repeat(512)), "é".repeat(512));

  for (const path of ["", "/", "a/../b", "..", "a\0b", `${"é".repeat(512)}a`]) {
    assert.throws(() => checkPath(path), { code: "INVALID_PATH" }, path);
  }
});

test("a path in a URL is percent-decoded, or refused", () => {
  assert.equal(decodePath("a%2Fb%20%C3%A9"), "a/b é");
  assert.throws(() => decodePath("%E0%A4%A"), INVALID);
});

test("a version is a whole number; all else, and 0, is the latest", () => {
  assert.equal(versionOf("version=1700000000"), 1_700_000_000);
  assert.equal(versionOf("a=1&version=7"), 7);
  assert.equal(versionOf("version=-1"), -1);
  for (const query of ["", "version=", "version=0", "version=abc", "version=1.5", "other=3"]) {
    assert.equal(versionOf(query), undefined, query);
  }
});
