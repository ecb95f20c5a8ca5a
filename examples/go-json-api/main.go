package main

import (
	"encoding/json"
	"net/http"
)

type summary struct {
	Count int     `json:"count"`
	Sum   float64 `json:"sum"`
	Mean  float64 `json:"mean"`
}

// Handler serves every request of the function; the process stays, so what is made at its start is made once.
func Handler(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.Method != http.MethodPost {
		refuse(w, http.StatusMethodNotAllowed, "POST a list of numbers")
		return
	}
	var numbers []float64
	if err := json.NewDecoder(r.Body).Decode(&numbers); err != nil || len(numbers) == 0 {
		refuse(w, http.StatusBadRequest, "the body is no list of numbers")
		return
	}
	json.NewEncoder(w).Encode(summarize(numbers))
}
