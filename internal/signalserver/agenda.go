package signalserver

import (
	"container/heap"
	"time"
)

// wakeful has something to do at a time; it asks for the next time itself.
type wakeful interface {
	wake(now time.Time)
	slot() *slot
}

// slot is a wakeful's place in an agenda.
type slot struct {
	at    time.Time
	index int // in the heap, plus one; 0 means not there
}

// agenda wakes what is due, the soonest first. An item that asks for a later time stays where it is and finds out when
// it is woken: most deadlines move away long before they come.
type agenda []wakeful

// at makes sure that w is woken at t or before; a zero t asks for nothing.
func (a *agenda) at(w wakeful, t time.Time) {
	s := w.slot()
	switch {
	case t.IsZero():
	case s.index == 0:
		s.at = t
		heap.Push(a, w)
	case t.Before(s.at):
		s.at = t
		heap.Fix(a, s.index-1)
	}
}

// forget takes w out.
func (a *agenda) forget(w wakeful) {
	if i := w.slot().index; i > 0 {
		heap.Remove(a, i-1)
	}
}

// due takes out and returns an item whose time has come, nil when there is none.
func (a *agenda) due(now time.Time) wakeful {
	if len(*a) == 0 || (*a)[0].slot().at.After(now) {
		return nil
	}
	return heap.Pop(a).(wakeful)
}

// next returns when due has something; zero when never.
func (a agenda) next() time.Time {
	if len(a) == 0 {
		return time.Time{}
	}
	return a[0].slot().at
}

// Len, Less, Swap, Push and Pop are for container/heap only.
func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].slot().at.Before(a[j].slot().at) }
func (a agenda) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].slot().index, a[j].slot().index = i+1, j+1
}

func (a *agenda) Push(x any) {
	*a = append(*a, x.(wakeful))
	x.(wakeful).slot().index = len(*a)
}

func (a *agenda) Pop() any {
	last := len(*a) - 1
	w := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	w.slot().index = 0
	return w
}
