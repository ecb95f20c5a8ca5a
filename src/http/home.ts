import { sendText } from "./answer.ts";
import type { Route } from "./router.ts";

/** What somebody sees who opens the address in a browser. */
export function homeRoutes(version: string): Route[] {
  const text =
    `Cloche ${version} is running.\n\n` +
    "Run code:         POST /run-now        {language, code, input?, stream?}\n" +
    "Keep a script:    POST /upload         {path, language, code}\n" +
    "Run a script:     POST /run/PATH       {input?, stream?}\n" +
    "Keep a function:  POST /api/functions  {name, language, code}\n" +
    "Call a function:  any  /fn/NAME\n" +
    "See inside:       GET  /api/system\n" +
    "All of the API:   GET  /docs, and /llms.txt for language models\n";
  return [
    {
      method: "GET",
      path: "/",
      scope: "none",
      dialect: (error, _request, response) => sendText(response, error.status, error.message),
      handle: (_request, response) => sendText(response, 200, text),
    },
  ];
}
