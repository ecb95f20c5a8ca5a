// A Go handler for tests: built as the builder does it, by the Go of this machine.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Undefined where this machine has none. */
export const GO = ["/usr/local/go/bin/go", "/usr/bin/go"].find((path) => existsSync(path));
const OWN = join(import.meta.dirname, "go");

const MAIN = `package main

import (
	"net/http"

	server "example.com/handler/server"
)

func main() { server.Serve(http.HandlerFunc(Handler)) }
`;

export const HANDLER = `package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

var calls int

// Made before main runs: what it writes must be seen all the same.
var early = log.New(os.Stdout, "early ", 0)

func Handler(w http.ResponseWriter, r *http.Request) {
	calls++
	switch strings.TrimPrefix(r.URL.Path, "/fn/demo") {
	case "/echo":
		w.Header().Set("Content-Type", "application/octet-stream")
		io.Copy(w, r.Body)
	case "/facts":
		body, _ := io.ReadAll(r.Body)
		json.NewEncoder(w).Encode(map[string]any{
			"method": r.Method, "url": r.URL.String(), "host": r.Host, "header": r.Header, "remote": r.RemoteAddr,
			"length": r.ContentLength, "body": string(body), "relative": r.PathValue("relativePath"),
			"env": os.Getenv("GREETING"), "ours": os.Getenv("OURS"), "bind": os.Getenv("CLOCHE_HANDLER_BIND_1"),
		})
	case "/calls":
		fmt.Fprint(w, calls)
	case "/stream":
		for _, part := range []string{"one ", "two"} {
			fmt.Fprint(w, part)
			w.(http.Flusher).Flush()
			time.Sleep(100 * time.Millisecond)
		}
	case "/print":
		fmt.Println("out h\\u00e9")
		fmt.Fprintln(os.Stderr, "err")
		early.Println("bird")
		log.SetFlags(0)
		log.Println("logged")
	case "/status":
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.WriteHeader(http.StatusTeapot)
	case "/panic":
		inner(nil)
	case "/wait":
		<-r.Context().Done()
		fmt.Println("cancelled:", r.Context().Err())
	case "/exit":
		os.Exit(7)
	case "/crash":
		go inner(nil)
		time.Sleep(time.Minute)
	case "/nothing":
	default:
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "json") {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
		}
		fmt.Fprintf(w, "[%q, %q]", r.Method, body)
	}
}

func inner(m map[string]int) { m["x"] = 1 }
`;

/** The executable; its standard library is compiled once for all, into the usual cache of Go. */
export function buildHandler(go: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "go-handler-"));
  try {
    mkdirSync(join(folder, "server"));
    for (const name of readdirSync(OWN)) {
      writeFileSync(join(folder, "server", name), `//go:build go1.21\n\n${readFileSync(join(OWN, name), "utf8")}`);
    }
    writeFileSync(join(folder, "go.mod"), "module example.com/handler\ngo 1.21\n");
    writeFileSync(join(folder, "main.go"), HANDLER);
    writeFileSync(join(folder, "start.go"), MAIN);
    const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=mod", GOTOOLCHAIN: "local" };
    execFileSync(go, ["build", "-ldflags=-s -w", "-trimpath", "-o", "out", "."], { cwd: folder, env, stdio: "pipe" });
    return readFileSync(join(folder, "out"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
