package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	words := bufio.NewScanner(os.Stdin)
	words.Split(bufio.ScanWords)
	count := 0
	for words.Scan() {
		count++
	}
	if count == 0 {
		fmt.Fprintln(os.Stderr, "no words")
		os.Exit(1)
	}
	fmt.Println(count)
}
