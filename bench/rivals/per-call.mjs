// A stand-in for the original: every request starts a new bwrap with a new interpreter, under the original's flags
// (without systemd-run, which needs a user session; that is in its favour).
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { join } from "node:path";
import { tellPort } from "./listen.mjs";

const HERE = import.meta.dirname;
const BENCH = join(HERE, "..");
const NODE = process.execPath; // the same Node as ours

const RUNTIMES = {
  javascript: { wrapper: "wrapper.js", command: ["/node", "/wrapper.js"], more: ["--ro-bind", NODE, "/node"] },
  python: { wrapper: "wrapper.py", command: ["/usr/bin/python3", "-u", "/wrapper.py"], more: [] },
  lua: { wrapper: "wrapper.lua", command: ["/usr/bin/luajit", "/wrapper.lua"], more: [] },
  typescript: {
    wrapper: "wrapper.ts",
    command: ["/node", join(BENCH, "node_modules/tsx/dist/cli.mjs"), "/wrapper.ts"],
    more: [
      ...["--ro-bind", NODE, "/node", "--ro-bind", BENCH, BENCH],
      ...["--setenv", "NODE_PATH", join(BENCH, "node_modules")],
    ],
  },
};

function flags({ wrapper, more }) {
  return [
    ...["--ro-bind", "/usr", "/usr", "--ro-bind", "/lib", "/lib", "--ro-bind", "/lib64", "/lib64"],
    ...["--ro-bind", join(HERE, "wrappers", wrapper), `/${wrapper}`],
    ...["--tmpfs", "/tmp", "--proc", "/proc", "--dev", "/dev", "--unshare-all", "--unshare-net"],
    ...["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--chdir", "/tmp", "--tmpfs", "/home/sandbox"],
    ...["--setenv", "HOME", "/home/sandbox", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin"],
    ...["--setenv", "TMPDIR", "/tmp", "--setenv", "LANG", "C.UTF-8"],
    ...["--unsetenv", "LD_PRELOAD", "--unsetenv", "LD_LIBRARY_PATH"],
    ...more,
  ];
}

const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (text) => (body += text));
  request.on("end", () => {
    const { language, code, input } = JSON.parse(body);
    const runtime = RUNTIMES[language];
    const child = spawn("/usr/bin/bwrap", [...flags(runtime), "--", ...runtime.command]);
    let printed = "";
    let complaint = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (printed += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (complaint += text));
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify({ code, input: JSON.stringify(input ?? {}) }));
    child.on("close", (status) => {
      const answer = status === 0 ? `{"data":${printed.trim()},"type":"json"}` : complaint;
      response.writeHead(status === 0 ? 200 : 500, { "Content-Length": Buffer.byteLength(answer) });
      response.end(answer);
    });
  });
});
server.listen(0, "127.0.0.1", () => tellPort(server.address().port));
