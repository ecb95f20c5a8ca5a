// Takes webhooks that are signed as GitHub signs them. Set the secret WEBHOOK_SECRET; until then it answers 503.
package function

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
)

func Handler(w http.ResponseWriter, r *http.Request) {
	secret := os.Getenv("WEBHOOK_SECRET")
	if secret == "" {
		answer(w, http.StatusServiceUnavailable, map[string]any{"error": "set the secret WEBHOOK_SECRET first"})
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || !isSigned(body, r.Header.Get("X-Hub-Signature-256"), secret) {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "the signature is wrong"})
		return
	}
	log.Printf("took %s %s", r.Header.Get("X-GitHub-Event"), body)
	answer(w, http.StatusAccepted, map[string]any{"accepted": true})
}

func isSigned(body []byte, signature, secret string) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal([]byte("sha256="+hex.EncodeToString(mac.Sum(nil))), []byte(signature))
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}
