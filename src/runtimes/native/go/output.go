package server

import (
	"os"
	"runtime/debug"
	"sync"
	"syscall"
	"unicode/utf8"
)

const logReadBytes = 65_536

// What the program prints to fd 1 and 2, as log frames. It is read when it is there, and at the latest before a run ends.
type output struct{ streams [2]*stream }

type stream struct {
	conn   *connection
	header frame
	fd     int
	mutex  sync.Mutex
	buffer []byte
	// The start of a character whose rest has not come.
	tail int
}

func captureOutput(conn *connection) *output {
	// The last words of a crash find nobody here to read them: they go to the server's own end of stderr.
	if last, err := syscall.Dup(2); err == nil {
		syscall.CloseOnExec(last)
		file := os.NewFile(uintptr(last), "stderr")
		_ = debug.SetCrashOutput(file, debug.CrashOptions{})
		_ = file.Close() // it has its own copy
	}
	return &output{streams: [2]*stream{
		openStream(conn, 1, frame{Type: "log", Level: "info", Stream: "stdout"}),
		openStream(conn, 2, frame{Type: "log", Level: "error", Stream: "stderr"}),
	}}
}

// Puts a pipe in the place of fd.
func openStream(conn *connection, fd int, header frame) *stream {
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		panic(err)
	}
	syscall.SetNonblock(ends[0], true)
	if err := syscall.Dup3(ends[1], fd, 0); err != nil {
		panic(err)
	}
	syscall.Close(ends[1])
	s := &stream{conn: conn, header: header, fd: ends[0], buffer: make([]byte, logReadBytes)}
	raw, err := os.NewFile(uintptr(ends[0]), "printed").SyscallConn()
	if err != nil {
		panic(err)
	}
	// Never done, so the poller calls again whenever there is more.
	go raw.Read(func(uintptr) bool { s.drain(); return false })
	return s
}

func (o *output) drain() {
	for _, s := range o.streams {
		s.drain()
	}
}

// Sends all that has been printed.
func (s *stream) drain() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for {
		count, err := syscall.Read(s.fd, s.buffer[s.tail:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil || count <= 0 {
			return
		}
		count += s.tail
		s.tail = tailBytes(s.buffer[:count])
		if count > s.tail {
			s.conn.send(s.header, s.buffer[:count-s.tail])
		}
		copy(s.buffer, s.buffer[count-s.tail:count])
	}
}

// How many of the last bytes begin a character that is not complete.
func tailBytes(bytes []byte) int {
	for back := 1; back <= min(utf8.UTFMax-1, len(bytes)); back++ {
		if last := bytes[len(bytes)-back:]; utf8.RuneStart(last[0]) {
			if utf8.FullRune(last) {
				return 0
			}
			return back
		}
	}
	return 0
}
