package gateway

import (
	"io"
	"net"
	"testing"
)

// TestCloseLetsAnAnswerEnd closes a connection on which the lane is at an answer:
// the one who closes does not wait, and the answer is sent.
func TestCloseLetsAnAnswerEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	l := &lane{Listener: listener}
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := accepted.(*laneConn)
	c.answering.Lock()
	if err := c.Close(); err != nil {
		t.Errorf("Close returned %v", err)
	}
	if _, err := io.WriteString(c.TCPConn, "answer"); err != nil {
		t.Errorf("the answer is not sent: %v", err)
	}
	c.answering.Unlock()
	l.drain()
	if got, err := io.ReadAll(client); string(got) != "answer" || err != nil {
		t.Errorf("the client read %q, %v, want the answer and the end", got, err)
	}
}
