package server

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
)

var yes, no = true, false

// The response of a run on its way out: held back until there is enough of it, it is flushed, or the handler returns. Those of a
// value are kept whole.
type response struct {
	run     *run
	header  http.Header
	status  int
	sent    http.Header // as it was when the head was written
	begun   bool
	held    []byte
	mutex   sync.Mutex
	room    sync.Cond
	window  int
	stopped bool
}

func newResponse(run *run) *response {
	r := &response{run: run, header: http.Header{}, window: windowBytes}
	r.room.L = &r.mutex
	return r
}

func (r *response) credit(bytes int) {
	r.mutex.Lock()
	r.window += bytes
	r.mutex.Unlock()
	r.room.Broadcast()
}

// Nobody waits for the rest.
func (r *response) stop() {
	r.mutex.Lock()
	r.stopped = true
	r.mutex.Unlock()
	r.room.Broadcast()
}

func (r *response) Header() http.Header { return r.header }

func (r *response) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %d", status))
	}
	if r.status != 0 || status < 200 { // 103 and its like have no way to the client
		return
	}
	r.status = status
	r.sent = r.header.Clone()
}

func (r *response) Write(bytes []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	if r.status == http.StatusNoContent || r.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	if r.run.isOver {
		return 0, http.ErrHandlerTimeout
	}
	if !r.run.isRequest() {
		r.held = append(r.held, bytes...)
		return len(bytes), nil
	}
	for written := 0; written < len(bytes); {
		count := min(len(bytes)-written, mostBodyBytes-len(r.held))
		r.held = append(r.held, bytes[written:written+count]...)
		written += count
		if len(r.held) == mostBodyBytes {
			if err := r.push(false); err != nil {
				return written, err
			}
		}
	}
	return len(bytes), nil
}

// FlushError sends what is held, and the head.
func (r *response) FlushError() error {
	r.WriteHeader(http.StatusOK)
	if !r.run.isRequest() || r.run.isOver || r.begun && len(r.held) == 0 {
		return nil
	}
	return r.push(false)
}

func (r *response) Flush() { _ = r.FlushError() }

// Sends the rest and ends the run.
func (r *response) finish() {
	r.WriteHeader(http.StatusOK)
	if err := r.push(true); err != nil {
		panic(err)
	}
}

func (r *response) value() ([]byte, error) {
	r.WriteHeader(http.StatusOK)
	return valueOf(r.sent, r.held)
}

// Sends what is held as soon as there is credit for it.
func (r *response) push(ends bool) error {
	r.mutex.Lock()
	for r.window < len(r.held) && !r.stopped {
		r.room.Wait()
	}
	stopped := r.stopped
	r.window -= len(r.held)
	r.mutex.Unlock()
	if stopped {
		return errGone
	}
	header := frame{Type: "body", ID: r.run.id, End: &no}
	if ends {
		header = header.withUsage()
		header.End = &yes
		r.run.isOver = true
		r.run.worker.printed.drain()
		r.run.worker.conn.remove(r.run.worker.runs, r.run.id)
	}
	if !r.begun {
		header.Type, header.Status, header.Headers = "response", r.status, r.pairs()
	}
	if !r.run.worker.conn.send(header, r.held) {
		r.run.isOver = false
		return errors.New("the response's headers have more than 65536 bytes")
	}
	r.begun = true
	r.held = r.held[:0]
	return nil
}

// The headers in the form of the wire, with a type where there is a body and none was set, as net/http does it.
func (r *response) pairs() *[][2]string {
	pairs := make([][2]string, 0, len(r.sent)+1)
	for name, values := range r.sent {
		for _, value := range values {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	_, hasType := r.sent["Content-Type"]
	if !hasType && len(r.held) > 0 && r.sent.Get("Content-Encoding") == "" {
		pairs = append(pairs, [2]string{"Content-Type", http.DetectContentType(r.held)})
	}
	return &pairs
}
