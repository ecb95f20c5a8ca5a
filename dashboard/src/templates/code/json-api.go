// Adds two numbers: POST {"a": 1, "b": 2}
package function

import (
	"encoding/json"
	"net/http"
)

func Handler(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		answer(w, http.StatusMethodNotAllowed, map[string]any{"error": `POST {"a": 1, "b": 2}`})
		return
	}
	var numbers struct{ A, B *float64 }
	if json.NewDecoder(r.Body).Decode(&numbers) != nil || numbers.A == nil || numbers.B == nil {
		answer(w, http.StatusBadRequest, map[string]any{"error": "a and b must be numbers"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"sum": *numbers.A + *numbers.B})
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}
