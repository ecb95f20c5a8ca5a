package main

import (
	"fmt"
	"io"
	"os"

	"example.com/greet"
)

func main() {
	name, _ := io.ReadAll(os.Stdin)
	fmt.Println(greet.Politely(string(name)))
}
