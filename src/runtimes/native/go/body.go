package server

import (
	"io"
	"sync"
)

// The body of a request on its way in. The server sends on only as it is told that bytes have been taken.
type body struct {
	conn   *connection
	id     int64
	mutex  sync.Mutex
	more   sync.Cond
	chunks [][]byte
	// Of the first chunk.
	taken  int
	ended  bool
	failed error
}

func newBody(conn *connection, id int64, first []byte, ended bool) *body {
	b := &body{conn: conn, id: id, ended: ended}
	b.more.L = &b.mutex
	if len(first) > 0 {
		b.chunks = append(b.chunks, first)
	}
	return b
}

// Bytes that are there and have not been read.
func (b *body) held() int {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	total := -b.taken
	for _, chunk := range b.chunks {
		total += len(chunk)
	}
	return total
}

func (b *body) push(chunk []byte, ended bool) {
	b.mutex.Lock()
	if len(chunk) > 0 && b.failed == nil {
		b.chunks = append(b.chunks, chunk)
	}
	b.ended = ended
	b.mutex.Unlock()
	b.more.Broadcast()
}

// Reading fails from now on.
func (b *body) fail(err error) {
	b.mutex.Lock()
	if b.failed == nil {
		b.failed = err
		b.chunks = nil
	}
	b.mutex.Unlock()
	b.more.Broadcast()
}

func (b *body) Read(into []byte) (int, error) {
	if len(into) == 0 {
		return 0, nil
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for len(b.chunks) == 0 && !b.ended && b.failed == nil {
		b.more.Wait()
	}
	switch {
	case b.failed != nil:
		return 0, b.failed
	case len(b.chunks) == 0:
		return 0, io.EOF
	}
	chunk := b.chunks[0]
	count := copy(into, chunk[b.taken:])
	b.taken += count
	if b.taken == len(chunk) {
		b.chunks = b.chunks[1:]
		b.taken = 0
		if !b.ended {
			b.conn.send(frame{Type: "credit", ID: b.id, Bytes: len(chunk)}, nil)
		}
	}
	return count, nil
}

func (b *body) Close() error { return nil }
