package server

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"sync"
	"syscall"
)

const (
	controlFd        = 3
	prefixBytes      = 8
	mostHeaderBytes  = 65_536
	mostBodyBytes    = 65_536
	windowBytes      = 262_144
	readBufferBytes  = 65_536
	smallFrameBytes  = 16_384
	hungUpExitStatus = 0
)

// The header of a frame that is sent.
type frame struct {
	Type    string       `json:"t"`
	ID      int64        `json:"id,omitempty"`
	Status  int          `json:"status,omitempty"`
	Headers *[][2]string `json:"headers,omitempty"`
	End     *bool        `json:"end,omitempty"`
	Bytes   int          `json:"bytes,omitempty"`
	Level   string       `json:"level,omitempty"`
	Stream  string       `json:"stream,omitempty"`
	CPUUs   int64        `json:"cpuUs,omitempty"`
	PeakKib int64        `json:"peakKib,omitempty"`
}

// With what this process has used since it began: for the frames that end a run.
func (f frame) withUsage() frame {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) == nil {
		f.CPUUs = (used.Utime.Nano() + used.Stime.Nano()) / 1000
		f.PeakKib = int64(used.Maxrss)
	}
	return f
}

// The header of a frame that came.
type incoming struct {
	Type          string      `json:"t"`
	ID            int64       `json:"id"`
	End           bool        `json:"end"`
	Bytes         int         `json:"bytes"`
	Method        string      `json:"method"`
	Path          string      `json:"path"`
	RelativePath  string      `json:"relativePath"`
	Query         string      `json:"query"`
	Headers       [][2]string `json:"headers"`
	RemoteAddress string      `json:"remoteAddress"`
}

type runTable map[int64]*run

// The socket to the server.
type connection struct {
	file   *os.File
	reader *bufio.Reader
	// Guards writing, and the table of runs.
	writing, table sync.Mutex
	frame          []byte
}

func openConnection() *connection {
	syscall.CloseOnExec(controlFd)
	syscall.SetNonblock(controlFd, true) // so that waiting for it holds up no thread
	file := os.NewFile(controlFd, "control")
	return &connection{file: file, reader: bufio.NewReaderSize(file, readBufferBytes)}
}

// The next frame. Ends the process when the server is gone.
func (c *connection) receive() (incoming, []byte) {
	var prefix [prefixBytes]byte
	c.read(prefix[:])
	header := make([]byte, binary.BigEndian.Uint32(prefix[0:]))
	c.read(header)
	body := make([]byte, binary.BigEndian.Uint32(prefix[4:]))
	c.read(body)
	var parsed incoming
	if err := json.Unmarshal(header, &parsed); err != nil {
		panic(err) // the server is trusted; this is a mistake of ours
	}
	return parsed, body
}

func (c *connection) read(into []byte) {
	if _, err := io.ReadFull(c.reader, into); err != nil {
		os.Exit(hungUpExitStatus)
	}
}

// Sends one frame. Returns false where the header is larger than a header may be; then nothing was sent.
func (c *connection) send(header frame, body []byte) bool {
	text, err := json.Marshal(header)
	if err != nil || len(text) > mostHeaderBytes {
		return false
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	c.frame = binary.BigEndian.AppendUint32(c.frame[:0], uint32(len(text)))
	c.frame = binary.BigEndian.AppendUint32(c.frame, uint32(len(body)))
	c.frame = append(c.frame, text...)
	if len(body) <= smallFrameBytes {
		c.frame = append(c.frame, body...)
		body = nil
	}
	c.file.Write(c.frame)
	if len(body) > 0 {
		c.file.Write(body)
	}
	return true
}

func (c *connection) add(runs runTable, run *run) {
	c.table.Lock()
	runs[run.id] = run
	c.table.Unlock()
}

func (c *connection) remove(runs runTable, id int64) {
	c.table.Lock()
	delete(runs, id)
	c.table.Unlock()
}

// Calls do with run id, if that is not over yet.
func (c *connection) with(runs runTable, id int64, do func(*run)) {
	c.table.Lock()
	found := runs[id]
	c.table.Unlock()
	if found != nil {
		do(found)
	}
}
