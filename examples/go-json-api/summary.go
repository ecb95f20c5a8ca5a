package main

import (
	"encoding/json"
	"net/http"
)

func summarize(numbers []float64) summary {
	result := summary{Count: len(numbers)}
	for _, number := range numbers {
		result.Sum += number
	}
	result.Mean = result.Sum / float64(len(numbers))
	return result
}

func refuse(w http.ResponseWriter, status int, why string) {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": why})
}
