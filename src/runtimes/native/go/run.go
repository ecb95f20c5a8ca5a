package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

var errGone = errors.New("the caller has gone away")

// One run, from the frame that asks for it to the frame that ends it.
type run struct {
	id       int64
	worker   *worker
	header   incoming
	body     *body
	response *response
	context  context.Context
	cancel   context.CancelCauseFunc
	isOver   bool
}

func newRun(w *worker, header incoming, first []byte) *run {
	r := &run{id: header.ID, worker: w, header: header}
	r.context, r.cancel = context.WithCancelCause(context.Background())
	r.body = newBody(w.conn, header.ID, first, header.Type == "run" || header.End)
	r.response = newResponse(r)
	return r
}

func (r *run) isRequest() bool { return r.header.Type == "request" }

func (r *run) credit(bytes int) { r.response.credit(bytes) }

// In this order: a handler that returns as soon as its context is done must not answer any more.
func (r *run) cancelled() {
	r.body.fail(errGone)
	r.response.stop()
	r.cancel(errGone)
}

// The request as a handler gets it: for a value it is a POST of that as JSON.
func (r *run) request() (*http.Request, error) {
	if !r.isRequest() {
		base := r.worker.bound.Function.BaseURL
		if base == "" {
			base = "http://localhost/"
		}
		target, err := url.Parse(base)
		if err != nil {
			return nil, err
		}
		header := http.Header{"Content-Type": {"application/json"}}
		return r.requestOf("POST", target, header, target.Host, int64(r.body.held())), nil
	}
	h := r.header
	target := h.Path
	if h.Query != "" {
		target += "?" + h.Query
	}
	parsed, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, err
	}
	header := make(http.Header, len(h.Headers))
	host, length := "localhost", int64(-1)
	for _, pair := range h.Headers {
		switch name, value := pair[0], pair[1]; name {
		case "host":
			host = value
		default:
			header.Add(name, value)
		}
	}
	if stated, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64); err == nil && stated >= 0 {
		length = stated
	} else if h.End {
		length = int64(r.body.held())
	}
	return r.requestOf(h.Method, parsed, header, host, length), nil
}

func (r *run) requestOf(method string, target *url.URL, header http.Header, host string, length int64) *http.Request {
	request := &http.Request{
		Method: method, URL: target, Header: header, Host: host, RequestURI: target.RequestURI(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: r.body, ContentLength: length,
	}
	if length == 0 {
		request.Body = http.NoBody
	}
	if r.header.RemoteAddress != "" {
		request.RemoteAddr = net.JoinHostPort(r.header.RemoteAddress, "0")
	}
	request = request.WithContext(r.context)
	request.SetPathValue("relativePath", r.header.RelativePath)
	return request
}

// The handler has returned.
func (r *run) succeed() {
	if r.isRequest() {
		r.response.finish()
		return
	}
	value, err := r.response.value()
	if err != nil {
		panic(err)
	}
	r.end("result", value)
}

func (r *run) fail(failure failure) {
	text, _ := json.Marshal(failure)
	r.end("error", text)
}

// Sends the last frame, unless there was one, behind all that was printed.
func (r *run) end(kind string, body []byte) {
	if r.isOver {
		return
	}
	r.isOver = true
	r.worker.printed.drain()
	r.worker.conn.remove(r.worker.runs, r.id)
	r.worker.conn.send(frame{Type: kind, ID: r.id}.withUsage(), body)
}

func (r *run) over() {
	r.cancel(context.Canceled)
	r.body.fail(http.ErrBodyReadAfterClose)
}

// A whole body as JSON text: as it is where it says that it is JSON, else as a text.
func valueOf(header http.Header, whole []byte) ([]byte, error) {
	if len(whole) == 0 {
		return nil, nil
	}
	kind, _, _ := strings.Cut(strings.ToLower(header.Get("Content-Type")), ";")
	kind = strings.TrimSpace(kind)
	if kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json") {
		if !json.Valid(whole) {
			return nil, errors.New("the response says that it is JSON, and is not")
		}
		return whole, nil
	}
	if !utf8.Valid(whole) {
		whole = bytes.ToValidUTF8(whole, []byte("\uFFFD"))
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(string(whole))
	return bytes.TrimRight(text.Bytes(), "\n"), err
}
