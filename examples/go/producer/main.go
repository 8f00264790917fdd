// Sends each line of a file as a message, until every one of them is in the stream, exactly once.
//
// usage: producer HOST:PORT STREAM FILE        (go get github.com/gomodule/redigo)
//
// The file's name is the producer's ID, and the number of a line its idempotent ID: both are the
// same after a crash. FILE.sent has how many lines are acknowledged; a restart goes on from there.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
)

const patience = 5 * time.Second

// Errors that pass: nothing is known to be stored, so sending again is right.
var passing = []string{"NOTDURABLE ", "MISCONF ", "LOADING ", "OOM "}

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

// A server is asked on one connection, and on a new one when that is lost.
type server struct {
	address    string
	connection redis.Conn
}

func (s *server) do(command string, arguments ...any) (any, error) {
	if s.connection == nil || s.connection.Err() != nil {
		connection, err := redis.Dial("tcp", s.address,
			redis.DialConnectTimeout(patience),
			redis.DialReadTimeout(patience),
			redis.DialWriteTimeout(patience))
		if err != nil {
			return nil, err
		}
		s.connection = connection
	}
	return s.connection.Do(command, arguments...)
}

func (s *server) untilAcknowledged(command string, arguments ...any) (any, error) {
	pause := 50 * time.Millisecond
	for {
		reply, err := s.do(command, arguments...)
		if err == nil || !passes(err) {
			return reply, err
		}
		fmt.Fprintf(os.Stderr, "again in %v: %v\n", pause, err)
		time.Sleep(pause)
		if pause *= 2; pause > 2*time.Second {
			pause = 2 * time.Second
		}
	}
}

// Creates the stream, which remembers a day of messages and the last 10000 of a producer.
func (s *server) prepare(stream string) error {
	_, err := s.untilAcknowledged("XGROUP", "CREATE", stream, "workers", "0", "MKSTREAM")
	if err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP") {
		return err
	}
	// This spelling forgets nothing if the stream is set up like this already.
	_, err = s.untilAcknowledged("XCFGSET", stream, "IDMP-DURATION", 86400, "IDMP-MAXSIZE", 10000)
	return err
}

// How many lines are acknowledged.
func acknowledged(note string) (int, error) {
	number, err := os.ReadFile(note)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(number))
}

func acknowledge(note string, number int) error {
	if err := os.WriteFile(note+".new", []byte(strconv.Itoa(number)), 0o644); err != nil {
		return err
	}
	return os.Rename(note+".new", note)
}

func produce(address, stream, path string) error {
	s := &server{address: address}
	if err := s.prepare(stream); err != nil {
		return err
	}
	producer, note := filepath.Base(path), path+".sent"
	sent, err := acknowledged(note)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		if number <= sent {
			continue
		}
		text := lines.Text()
		id, err := redis.String(s.untilAcknowledged(
			"XADD", stream, "IDMP", producer, number, "*", "text", text))
		if err != nil {
			return err
		}
		fmt.Println(number, id)
		if err := acknowledge(note, number); err != nil {
			return err
		}
	}
	return lines.Err()
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: producer HOST:PORT STREAM FILE")
		os.Exit(2)
	}
	if err := produce(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
