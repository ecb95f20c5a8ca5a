package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	name, _ := io.ReadAll(os.Stdin)
	if len(name) == 0 {
		name = []byte("world")
	}
	fmt.Printf("Hello, %s!\n", name)
}
