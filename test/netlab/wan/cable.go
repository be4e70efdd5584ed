//go:build linux

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// maxFrame is the largest Ethernet frame at an MTU of 1500, with room for a VLAN tag.
const maxFrame = 1522

// cable joins two TAP devices by two lines.
type cable struct {
	ends [2]*os.File
	ways [2]*way // ways[i] leads from ends[i] to the other
}

// way is one direction at work: a line, its clock and its goroutines.
type way struct {
	mu   sync.Mutex // guards line
	line line
	wake chan struct{}
}

// newCable starts to carry frames between two TAP devices until they are closed.
func newCable(ends [2]*os.File, fail func(error)) *cable {
	c := &cable{ends: ends}
	for i := range c.ways {
		w := &way{wake: make(chan struct{}, 1)}
		w.line.random = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
		c.ways[i] = w
		go func() { fail(w.read(ends[i])) }()
		go func() { fail(w.write(ends[1-i])) }()
	}
	return c
}

// change sets both directions, or one: 0 from the first end, 1 from the second, -1 both.
func (c *cable) change(direction int, apply func(*settings) error) error {
	for i, w := range c.ways {
		if direction >= 0 && direction != i {
			continue
		}
		w.mu.Lock()
		set := w.line.set
		err := apply(&set)
		if err == nil {
			w.line.change(set)
		}
		w.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// read puts frames on the line until the device is closed.
func (w *way) read(from *os.File) error {
	buf := make([]byte, maxFrame)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return fmt.Errorf("read %s: %w", from.Name(), err)
		}
		w.mu.Lock()
		w.line.push(time.Now(), append([]byte(nil), buf[:n]...))
		w.mu.Unlock()
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// write takes frames off the line when they are due.
func (w *way) write(to *os.File) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		w.mu.Lock()
		frame := w.line.pop(time.Now())
		next := w.line.next()
		w.mu.Unlock()
		if frame != nil {
			// A device that is down or full refuses a frame; so does a cable.
			if _, err := to.Write(frame); errors.Is(err, os.ErrClosed) {
				return fmt.Errorf("write %s: %w", to.Name(), err)
			}
			continue
		}
		if next.IsZero() {
			<-w.wake
			continue
		}
		timer.Reset(time.Until(next))
		select {
		case <-timer.C:
		case <-w.wake:
		}
	}
}
