// Package greet stands for a module of somebody else's.
package greet

// Politely greets whoever has a name.
func Politely(name string) string {
	if name == "" {
		return "Good day."
	}
	return "Good day, " + name + "."
}
