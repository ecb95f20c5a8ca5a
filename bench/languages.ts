// The hello of each language, never the same code twice.

export const LANGUAGES = ["javascript", "python", "lua", "typescript"] as const;
export type Language = (typeof LANGUAGES)[number];

let count = 0;

/** Code that no server has seen; it returns `{"hello": <event.name>}`. */
export function newHello(language: Language): string {
  const number = ++count;
  switch (language) {
    case "javascript":
      return `const number = ${number};\nreturn {hello: event.name};`;
    case "python":
      return `number = ${number}\nreturn {"hello": event["name"]}`;
    case "lua":
      return `local number = ${number}\nreturn {hello = event.name}`;
    case "typescript":
      return `const number: number = ${number};\ninterface Hello { hello: string }\nreturn {hello: event.name} as Hello;`;
  }
}

export const INPUT = { name: "world" };
