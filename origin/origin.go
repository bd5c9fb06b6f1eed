package origin

// An Origin is a tuple origin: scheme, host and port.
type Origin struct{ scheme, host, port string }
