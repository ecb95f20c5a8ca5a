// What stands in the playground before somebody writes: for each language a few lines that show input, logs and result.

/** What `POST /run-now` takes as one text. Other languages are built or uploaded: they are functions. */
export const LANGUAGES = ["javascript", "typescript", "python", "lua"] as const;
export type ScriptLanguage = (typeof LANGUAGES)[number];

export const FILE_NAMES: Readonly<Record<ScriptLanguage, string>> = {
  javascript: "script.js",
  typescript: "script.ts",
  python: "script.py",
  lua: "script.lua",
};

export const EXAMPLE_INPUT = '{ "name": "world" }';

export const EXAMPLES: Readonly<Record<ScriptLanguage, string>> = {
  javascript: `for (let i = 3; i > 0; i--) {
  console.log(i);
  await new Promise((resolve) => setTimeout(resolve, 300));
}
return { greeting: \`hello \${event.name}\` };
`,
  typescript: `interface Greeting {
  greeting: string;
}

console.log("typed, and run as it is");
const answer: Greeting = { greeting: \`hello \${event.name}\` };
return answer;
`,
  python: `import time

for i in (3, 2, 1):
    print(i)
    time.sleep(0.3)

return {"greeting": f"hello {event['name']}"}
`,
  lua: `for i = 3, 1, -1 do
  print(i)
end

return { greeting = "hello " .. event.name }
`,
};
