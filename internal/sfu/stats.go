package sfu

import "github.com/parley-rtc/parley/internal/bwe"

// PersonStats is what went to and fro, for records and for people.
type PersonStats struct {
	Received  Received
	Sent      Sent
	Bandwidth bwe.Stats
	Streams   []StreamStats
	Places    []PlaceStats
}

// StreamStats is about a published stream.
type StreamStats struct {
	MID, Source, RID string
	SSRC             uint32
	Packets, Octets  uint64
	// Missing packets were asked for, Mended came then; Duplicates came twice; Broken could not be read.
	Missing, Mended, Duplicates, Broken uint64
	// Rate is in bit/s, all layers together; Width and Height in pixels, 0 when unknown.
	Rate, Width, Height int
	// Jitter is in units of the stream's clock.
	Jitter int
}

// PlaceStats is about a place.
type PlaceStats struct {
	Place
	SSRC              uint32
	RID               string
	Spatial, Temporal int
	Packets, Octets   uint64
	Repeated          uint64
	// Loss is the share of packets that the receiver reported lost lately, Jitter what they reported, in units of the clock.
	Loss   float64
	Jitter int
}

// Stats returns the person's statistics.
func (p *Person) Stats() PersonStats {
	st := PersonStats{Received: p.up.stats, Sent: p.down.stats, Bandwidth: p.down.estimator.Stats()}
	for _, src := range p.up.sources {
		for _, s := range src.streams {
			rate := 0
			for _, v := range s.layers.rates {
				rate = max(rate, v)
			}
			st.Streams = append(st.Streams, StreamStats{
				MID: src.mid, Source: src.name, RID: s.rid, SSRC: s.ssrc, Packets: s.count.packets, Octets: s.count.octets,
				Missing: s.repairs.asked, Mended: s.repairs.mended, Duplicates: s.count.duplicates, Broken: s.count.broken,
				Rate: rate, Width: s.layers.width, Height: s.layers.height, Jitter: int(s.count.jitter >> 4),
			})
		}
	}
	for i, now := range p.placesNow() {
		pl := p.down.places[i]
		ps := PlaceStats{
			Place: now, SSRC: pl.section.SSRC, Spatial: int(pl.numbers.now.spatial), Temporal: int(pl.numbers.now.temporal),
			Packets: pl.tally.packets, Octets: pl.tally.octets, Repeated: pl.tally.repeated,
			Loss: float64(pl.tally.lost) / 256, Jitter: int(pl.tally.jitter),
		}
		if pl.stream != nil {
			ps.RID = pl.stream.rid
		}
		st.Places = append(st.Places, ps)
	}
	return st
}
