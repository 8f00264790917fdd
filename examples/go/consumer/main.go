// Works on messages in a group, and takes over what a consumer that crashed has left.
//
// usage: consumer HOST:PORT STREAM CONSUMER        (go get github.com/gomodule/redigo)
//
// The work here is to append to the stream STREAM:done. A message may be given twice, to a second
// consumer if the first is slow; then it is worked on twice, and the result is stored once.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
)

const (
	group    = "workers"
	patience = 5 * time.Second
	// A consumer that has not acknowledged a message after this many milliseconds counts as crashed.
	crashedAfter = 1000
)

var passing = []string{"NOTDURABLE ", "MISCONF ", "LOADING ", "OOM ", "EXECABORT "}

func passes(err error) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return true // no reply came
	}
	for _, code := range passing {
		if strings.HasPrefix(string(reply), code) {
			return true
		}
	}
	return false
}

func prepare(c redis.Conn, stream string) error {
	for _, name := range []string{stream, stream + ":done"} {
		_, err := c.Do("XGROUP", "CREATE", name, group, "0", "MKSTREAM")
		if err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP") {
			return err
		}
	}
	_, err := c.Do("XCFGSET", stream+":done", "IDMP-DURATION", 86400, "IDMP-MAXSIZE", 10000)
	return err
}

type message struct {
	id     string
	fields map[string]string
}

// The messages in a reply of XREADGROUP from one stream.
func messages(reply any, err error) ([]message, error) {
	streams, err := redis.Values(reply, err)
	if err == redis.ErrNil {
		return nil, nil // nothing came while it waited
	}
	if err != nil {
		return nil, err
	}
	var read []message
	for _, one := range streams {
		var name string
		var entries []any
		if _, err := redis.Scan(one.([]any), &name, &entries); err != nil {
			return nil, err
		}
		for _, entry := range entries {
			var id string
			var fields []any
			if _, err := redis.Scan(entry.([]any), &id, &fields); err != nil {
				return nil, err
			}
			named, err := redis.StringMap(fields, nil)
			if err != nil {
				return nil, err
			}
			read = append(read, message{id, named})
		}
	}
	return read, nil
}

// Result and acknowledgement are one transaction. The message's ID stores the result only once.
func work(c redis.Conn, stream string, m message) error {
	text := strings.ToUpper(m.fields["text"])
	c.Send("MULTI")
	c.Send("XADD", stream+":done", "IDMP", group, m.id, "*", "of", m.id, "text", text)
	c.Send("XACK", stream, group, m.id)
	replies, err := redis.Values(c.Do("EXEC"))
	if err != nil {
		return err
	}
	for _, reply := range replies {
		if failed, is := reply.(redis.Error); is {
			return failed
		}
	}
	return nil
}

// Works until something fails.
func consume(address, stream, consumer string) error {
	c, err := redis.Dial("tcp", address,
		redis.DialConnectTimeout(patience),
		redis.DialReadTimeout(patience),
		redis.DialWriteTimeout(patience))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := prepare(c, stream); err != nil {
		return err
	}
	for {
		read, err := messages(c.Do("XREADGROUP", "GROUP", group, consumer,
			"COUNT", 10, "BLOCK", 500, "CLAIM", crashedAfter, "STREAMS", stream, ">"))
		if err != nil {
			return err
		}
		for _, m := range read {
			if err := work(c, stream, m); err != nil {
				return err
			}
		}
	}
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: consumer HOST:PORT STREAM CONSUMER")
		os.Exit(2)
	}
	for {
		err := consume(os.Args[1], os.Args[2], os.Args[3])
		if !passes(err) {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		// What was not acknowledged comes again, after crashedAfter.
		fmt.Fprintf(os.Stderr, "again: %v\n", err)
		time.Sleep(100 * time.Millisecond)
	}
}
