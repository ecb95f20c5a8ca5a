// The time as server-sent events, one each half second: new EventSource("/fn/NAME") listens.
package function

import (
	"fmt"
	"net/http"
	"time"
)

func Handler(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for tick := 1; tick <= 5; tick++ {
		fmt.Fprintf(w, "id: %d\ndata: %s\n\n", tick, time.Now().UTC().Format(time.RFC3339Nano))
		w.(http.Flusher).Flush()
		if tick < 5 {
			time.Sleep(500 * time.Millisecond)
		}
	}
}
