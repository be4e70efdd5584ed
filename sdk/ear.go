package parley

import (
	"fmt"
	"math"

	"github.com/pion/opus"
)

const (
	earRate  = 16000        // Hz; enough for speech, and cheap
	earBlock = earRate / 10 // samples a measurement: 44 whole periods of the tone
	earTone  = 440          // Hz
	earShare = 0.8          // of the energy must be in the tone
	earFloor = -60          // dBov under which nothing is called a tone
	earMost  = earRate * 120 / 1000
)

// ear decodes Opus to tell how loud it is, and whether it is a 440 Hz tone. It is sans-IO.
type ear struct {
	decoder opus.Decoder
	pcm     []float32
	block   []float32
	level   float64 // dBov of the last block
	tone    bool
	blocks  int
}

func newEar() (*ear, error) {
	d, err := opus.NewDecoderWithOutput(earRate, 1)
	if err != nil {
		return nil, fmt.Errorf("parley: %w", err)
	}
	return &ear{decoder: d, pcm: make([]float32, earMost), level: -127}, nil
}

// hear takes one Opus packet. What cannot be decoded is not heard; a decoder that panics on it is replaced, for the
// bytes come from strangers.
func (e *ear) hear(packet []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parley: the Opus decoder failed: %v", r)
			if d, errNew := opus.NewDecoderWithOutput(earRate, 1); errNew == nil {
				e.decoder = d
			}
		}
	}()
	n, err := e.decoder.DecodeToFloat32(packet, e.pcm)
	if err != nil {
		return fmt.Errorf("parley: %w", err)
	}
	e.block = append(e.block, e.pcm[:min(n, len(e.pcm))]...)
	for len(e.block) >= earBlock {
		e.measure(e.block[:earBlock])
		e.block = append(e.block[:0], e.block[earBlock:]...)
	}
	return nil
}

// measure finds the energy of a block and, by Goertzel's algorithm, how much of it is at the tone's frequency.
func (e *ear) measure(block []float32) {
	k := 2 * math.Cos(2*math.Pi*earTone/earRate)
	var energy, a, b float64
	for _, v := range block {
		x := float64(v)
		energy += x * x
		a, b = x+k*a-b, a
	}
	n := float64(len(block))
	power := (a*a + b*b - k*a*b) * 2 / n // of a sine: its energy over the block
	e.level = -127
	if energy > 0 {
		e.level = max(-127, 10*math.Log10(energy/n))
	}
	e.tone = e.level > earFloor && power >= earShare*energy
	e.blocks++
}
