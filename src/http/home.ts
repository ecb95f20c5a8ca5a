import { sendText } from "./answer.ts";
import type { Route } from "./router.ts";

/** What somebody sees who opens the address: in a browser the dashboard, elsewhere what can be asked for. */
export function homeRoutes(version: string, hasDashboard: () => boolean): Route[] {
  const text =
    `Cloche ${version} is running.\n\n` +
    "Run code:         POST /run-now        {language, code, input?, stream?}\n" +
    "Keep a script:    POST /upload         {path, language, code}\n" +
    "Run a script:     POST /run/PATH       {input?, stream?}\n" +
    "Keep a function:  POST /api/functions  {name, language, code}\n" +
    "Call a function:  any  /fn/NAME\n" +
    "See inside:       GET  /api/system\n" +
    "All of the API:   GET  /docs, and /llms.txt for language models\n" +
    "In a browser:     GET  /ui/\n";
  return [
    {
      method: "GET",
      path: "/",
      scope: "none",
      dialect: (error, _request, response) => sendText(response, error.status, error.message),
      handle({ message }, response) {
        response.setHeader("Vary", "Accept");
        if (message.headers.accept?.includes("text/html") === true && hasDashboard()) {
          response.writeHead(302, { Location: "/ui/" }).end();
        } else sendText(response, 200, text);
      },
    },
  ];
}
