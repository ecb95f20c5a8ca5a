package server

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"runtime"
	"strings"
)

// The body of an `error` frame.
type failure struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	Stack   string `json:"stack"`
	Line    int    `json:"line,omitempty"`
	File    string `json:"file,omitempty"`
}

// The file that a single source is saved as.
const mainFile = "main.go"

// Of what a handler panicked with. Called while it unwinds, so that the stack is still there.
func failureOf(thrown any) failure {
	if err, ok := thrown.(error); ok && (errors.Is(err, http.ErrAbortHandler) || errors.Is(err, errGone)) {
		return failure{Name: "Aborted", Message: "the response was aborted: " + err.Error()}
	}
	found := failure{Name: "panic", Message: fmt.Sprint(thrown)}
	lines := []string{"panic: " + found.Message}
	for _, frame := range userFrames() {
		file := path.Base(frame.File)
		lines = append(lines, fmt.Sprintf("    at %s (%s:%d)", frame.Function, file, frame.Line))
		if found.Line == 0 {
			found.Line = frame.Line
			if file != mainFile {
				found.File = file
			}
		}
	}
	found.Stack = strings.Join(lines, "\n")
	return found
}

// Those between the panic and us.
func userFrames() []runtime.Frame {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	first, _ := frames.Next()
	ours, _, _ := strings.Cut(path.Base(first.Function), ".")
	ours = path.Join(path.Dir(first.Function), ours) + "."
	var kept []runtime.Frame
	for {
		frame, more := frames.Next()
		isOurs := strings.HasPrefix(frame.Function, ours)
		isMachinery := strings.HasPrefix(frame.Function, "runtime.") || strings.HasPrefix(frame.Function, "net/http.HandlerFunc.")
		if isOurs && len(kept) > 0 {
			return kept
		}
		if !isOurs && !isMachinery {
			kept = append(kept, frame)
		}
		if !more {
			return kept
		}
	}
}
