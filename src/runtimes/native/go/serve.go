// Package server makes a worker of an http.Handler: it speaks docs/wire-protocol.md on file descriptor 3 and serves many requests in
// one process. It is compiled together with the user's package, needs nothing but the standard library, and Go 1.23 or newer.
package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
)

// How the launcher tells a program that it is a worker. The server finds programs of this kind by the name (prepare.ts).
const bindVariable = "CLOCHE_HANDLER_BIND_1"

// More than the server sends ahead.
const mostWaiting = 1024

// What of the `bind` frame a handler needs.
type binding struct {
	Concurrency int `json:"concurrency"`
	Function    struct {
		BaseURL string `json:"baseUrl"`
	} `json:"function"`
}

// Serve answers the server's runs and requests with handler. It never returns.
func Serve(handler http.Handler) {
	text := os.Getenv(bindVariable)
	os.Unsetenv(bindVariable)
	var bound binding
	if err := json.Unmarshal([]byte(text), &bound); err != nil {
		fmt.Fprintln(os.Stderr, "this program answers the HTTP requests of a Cloche function and cannot run by itself")
		os.Exit(2)
	}
	conn := openConnection()
	worker := &worker{handler: handler, bound: bound, conn: conn, printed: captureOutput(conn), runs: map[int64]*run{}}
	worker.serve()
}

type worker struct {
	handler http.Handler
	bound   binding
	conn    *connection
	printed *output
	runs    runTable
	waiting chan *run
}

func (w *worker) serve() {
	if w.bound.Concurrency <= 1 {
		// Strictly one after the other, although some are sent ahead.
		w.waiting = make(chan *run, mostWaiting)
		go func() {
			for next := range w.waiting {
				w.answer(next)
			}
		}()
	}
	for {
		header, body := w.conn.receive()
		switch header.Type {
		case "run", "request":
			w.begin(newRun(w, header, body))
		case "body":
			w.conn.with(w.runs, header.ID, func(run *run) { run.body.push(body, header.End) })
		case "credit":
			w.conn.with(w.runs, header.ID, func(run *run) { run.credit(header.Bytes) })
		case "cancel":
			w.conn.with(w.runs, header.ID, func(run *run) { run.cancelled() })
		case "check":
			w.conn.send(frame{Type: "result", ID: header.ID}, []byte(`{"style":"handler"}`))
		case "ping":
			w.conn.send(frame{Type: "pong", ID: header.ID}, nil)
		}
	}
}

func (w *worker) begin(run *run) {
	w.conn.add(w.runs, run)
	if w.waiting != nil {
		w.waiting <- run
	} else {
		go w.answer(run)
	}
}

// Calls the handler, and tells how that ended.
func (w *worker) answer(run *run) {
	defer func() {
		if thrown := recover(); thrown != nil {
			run.fail(failureOf(thrown))
		}
		run.over()
	}()
	request, err := run.request()
	if err != nil {
		panic(err)
	}
	w.handler.ServeHTTP(run.response, request)
	run.succeed()
}
