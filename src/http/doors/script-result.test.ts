import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { loggedResult, printedResult, returnedResult, type ScriptResult } from "./script-result.ts";

type Cases = { readonly [text: string]: readonly [data: string, type: ScriptResult["type"]] };

function check(of: (text: string) => ScriptResult, cases: Cases): void {
  for (const [text, [data, type]] of Object.entries(cases)) {
    test(`${JSON.stringify(text)} is ${type} ${data}`, () => {
      assert.deepEqual(of(text), { data, type });
    });
  }
}

suite("a returned value", () => {
  check(returnedResult, {
    '"a"': ['"a"', "string"],
    '""': ['""', "string"],
    '"1"': ['"1"', "string"],
    '"{\\"a\\": 1}"': ['{"a": 1}', "json"],
    '"[1]"': ["[1]", "json"],
    '"{broken"': ['"{broken"', "string"],
    "1": ["1", "number"],
    "-0.5": ["-0.5", "number"],
    "12345678901234567890": ["12345678901234567890", "number"],
    true: ["true", "json"],
    null: ["null", "json"],
    '{"a":1}': ['{"a":1}', "json"],
    "[\n 1,\r\n 2\n]": ["[  1,  2 ]", "json"],
  });
});

suite("printed text, where nothing was returned,", () => {
  check(printedResult, {
    "": ['""', "text"],
    " \n ": ['""', "text"],
    "hello\n": ['"hello"', "text"],
    "a\nb\n": ['"a\\nb"', "text"],
    '{"a":1}\n': ['{"a":1}', "json"],
    '{\n"a":\n1}\n': ['{ "a": 1}', "json"],
    'noise\n{"a":1}\n\n': ['{"a":1}', "json"],
    "noise\n42": ["42", "number"],
    "42": ["42", "number"],
    '"x"': ['"x"', "string"],
    "1\n2": ["2", "number"],
    "1\nend": ['"1\\nend"', "text"],
  });
});

suite("a logged line", () => {
  check(loggedResult, {
    "42": ['"42"', "text"],
    '"x"': ['"\\"x\\""', "text"],
    null: ['"null"', "text"],
    "": ['""', "text"],
    ' [1, "a"]': ['[1, "a"]', "json"],
    '{"a":1}': ['{"a":1}', "json"],
    "[half": ['"[half"', "text"],
  });
});

test("data is one JSON value on one line, whatever was returned or printed", () => {
  const spaced = fc.jsonValue().map((value) => JSON.stringify(value, undefined, 1));
  fc.assert(
    fc.property(spaced, fc.string({ unit: "binary" }), (json, text) => {
      const results = [returnedResult(json), printedResult(json), printedResult(text), loggedResult(text)];

      for (const { data } of results) {
        assert.doesNotMatch(data, /[\r\n]/);
        JSON.parse(data);
      }
      const parsed: unknown = JSON.parse(json);
      if (typeof parsed !== "string") assert.deepEqual(JSON.parse(results[0]?.data ?? ""), parsed);
    }),
  );
});
