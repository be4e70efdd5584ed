package transfer

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// drain does what an owner without a disk would do, and returns what was said and how it ended.
func drain(r *Receiver) (said []string, ended *Ended) {
	for a := r.Next(); a != nil; a = r.Next() {
		switch a := a.(type) {
		case Offered:
			r.Accept(false)
		case Store:
			r.Stored(a.File, a.Chunk)
		case Finish:
			r.Finished(a.File)
		case Say:
			said = append(said, string(a.Text))
		case Ended:
			ended = &a
		}
	}
	return said, ended
}

func offerOf(paths ...string) []byte {
	total := int64(len(paths)) * 2 << 20
	m := &message{Type: typeOffer, Name: "x", Count: len(paths), Total: &total}
	for _, p := range paths {
		m.Files = append(m.Files, File{Path: p, Size: 2 << 20})
	}
	return m.encode()
}

func data(file, chunk, offset uint32, n int) []byte {
	b := make([]byte, HeaderSize+n)
	Header{Kind: KindData, File: file, Chunk: chunk, Offset: offset}.Put(b)
	return b
}

func hashFrame(file, chunk uint32) []byte {
	b := make([]byte, HeaderSize+HashSize)
	Header{Kind: KindHash, File: file, Chunk: chunk}.Put(b)
	return b
}

func TestBadOffersAreRefused(t *testing.T) {
	long := strings.Repeat("a", 256)
	for _, path := range []string{
		"", "/etc/passwd", "../x", "a/../../x", "a//b", "./x", "a/.", `..\x`, `C:\x`, "C:x", "nul", "Con.txt", "a/LPT1", "com¹.x",
		"a\x00b", "a\nb", "a\u0085b", long, strings.Repeat("a/", 32) + "a", "\xff",
	} {
		r := &Receiver{}
		r.Text(offerOf(path))
		said, ended := drain(r)
		if path == "\xff" {
			continue // JSON replaces it with a character that is allowed
		}
		if len(said) != 1 || !strings.Contains(said[0], `"bad-offer"`) || ended == nil {
			t.Errorf("%q: said %v, ended %+v", path, said, ended)
		}
	}
	for name, text := range map[string]string{
		"twice":         string(offerOf("a", "a")),
		"file, folder":  string(offerOf("a", "a/b")),
		"folder, file":  string(offerOf("a/b", "a")),
		"negative size": `{"type":"offer","files":[{"path":"a","size":-1}],"total":-1}`,
		"too large":     `{"type":"offer","files":[{"path":"a","size":9007199254740993}],"total":9007199254740993}`,
		"sum too large": `{"type":"offer","files":[{"path":"a","size":4503599626321920},{"path":"b","size":4503599626321920},{"path":"c","size":4503599626321920}],"total":1}`,
		"wrong total":   `{"type":"offer","files":[{"path":"a","size":5}],"total":6}`,
		"too many":      `{"type":"offer","files":[{"path":"a","size":5}],"count":10001,"total":5}`,
		"more than it":  `{"type":"offer","files":[{"path":"a","size":5},{"path":"b","size":5}],"count":1,"total":10}`,
		"none":          `{"type":"offer","files":[],"count":3,"total":5}`,
		"control name":  `{"type":"offer","name":"a\u001b[2J","files":[{"path":"a","size":5}],"total":5}`,
	} {
		r := &Receiver{}
		r.Text([]byte(text))
		if said, ended := drain(r); len(said) != 1 || !strings.Contains(said[0], `"bad-offer"`) || ended == nil {
			t.Errorf("%s: said %v, ended %+v", name, said, ended)
		}
	}
}

func TestAnEndlessOfferIsRefused(t *testing.T) {
	r := &Receiver{}
	name := strings.Repeat("n", 250)
	for i := 0; ; i++ {
		var paths []string
		for j := range 20 {
			paths = append(paths, fmt.Sprintf("%d-%d/%s", i, j, strings.Repeat(name+"/", 8)+"x"))
		}
		m := offerOf(paths...)
		m = []byte(strings.Replace(string(m), `"count":20`, `"count":10000`, 1))
		if i > 0 {
			m = []byte(strings.Replace(string(m), `"offer"`, `"more"`, 1))
		}
		r.Text(m)
		if said, ended := drain(r); ended != nil {
			if i*len(m) > 2*MaxOffer || !strings.Contains(said[0], "bad-offer") {
				t.Errorf("refused after %d bytes with %v", i*len(m), said)
			}
			return
		}
		if i > 10000 {
			t.Fatal("it never ends")
		}
	}
}

func TestFramesThatDoNotFitEndTheTransfer(t *testing.T) {
	for name, frames := range map[string][][]byte{
		"before accept":       {data(0, 0, 0, 10)},
		"no such file":        {offerOf("a"), data(1, 0, 0, 10)},
		"no such chunk":       {offerOf("a"), data(0, 2, 0, 10)},
		"a gap":               {offerOf("a"), data(0, 0, 0, 10), data(0, 0, 20, 10)},
		"another chunk":       {offerOf("a"), data(0, 0, 0, 10), data(0, 1, 0, 10)},
		"not at the start":    {offerOf("a"), data(0, 0, 10, 10)},
		"beyond a chunk":      {offerOf("a"), data(0, 0, ChunkSize-5, 10)},
		"early hash":          {offerOf("a"), data(0, 0, 0, 10), hashFrame(0, 0)},
		"hash alone":          {offerOf("a"), hashFrame(0, 0)},
		"empty":               {offerOf("a"), data(0, 0, 0, 0)},
		"too long":            {offerOf("a"), data(0, 0, 0, MaxPayload+1)},
		"unknown kind":        {offerOf("a"), append([]byte{9}, make([]byte, 30)...)},
		"unknown flags":       {offerOf("a"), append([]byte{1, 1}, make([]byte, 30)...)},
		"offer twice":         {offerOf("a"), offerOf("a")},
		"more after all":      {offerOf("a"), []byte(`{"type":"more","files":[{"path":"b","size":1}]}`)},
		"more first":          {[]byte(`{"type":"more","files":[{"path":"b","size":1}]}`)},
		"done of nothing":     {offerOf("a"), []byte(`{"type":"done"}`)},
		"done with no hash":   {offerOf("a"), []byte(`{"type":"done","file":0,"hash":"00"}`)},
		"not JSON":            {offerOf("a"), []byte(`{"type":`)},
		"a long text":         {[]byte(`{"type":"` + strings.Repeat("x", MaxText) + `"}`)},
		"another type":        {[]byte(`{"type":5}`)},
		"a file that is none": {offerOf("a"), []byte(`{"type":"done","file":-1,"hash":"` + Hash{}.String() + `"}`)},
	} {
		r := &Receiver{}
		var said []string
		var ended *Ended
		for _, f := range frames {
			if len(f) > 0 && f[0] == '{' {
				r.Text(f)
			} else {
				r.Data(f)
			}
			said, ended = drain(r)
		}
		if ended == nil || ended.Reason != Fault || !ended.Mine || len(said) != 1 || !strings.Contains(said[0], `"cancel"`) {
			t.Errorf("%s: said %v, ended %+v", name, said, ended)
		}
		r.Data(data(0, 0, 0, 10)) // after the end
		r.Text(offerOf("b"))
		if a := r.Next(); a != nil {
			t.Errorf("%s: %+v after the end", name, a)
		}
	}
}

func TestReceiversThatLieEndTheTransfer(t *testing.T) {
	hash := Hash{}.String()
	for name, texts := range map[string][]string{
		"have of nothing":    {`{"type":"accept"}`, `{"type":"have"}`},
		"have too early":     {`{"type":"have","file":0,"chunk":0}`},
		"have unsent":        {`{"type":"accept"}`, `{"type":"have","file":0,"chunk":9}`},
		"have no such file":  {`{"type":"accept"}`, `{"type":"have","file":1,"chunk":0}`},
		"have twice":         {`{"type":"accept"}`, `{"type":"have","file":0,"chunk":0}`, `{"type":"have","file":0,"chunk":0}`},
		"again after have":   {`{"type":"accept"}`, `{"type":"have","file":0,"chunk":0}`, `{"type":"again","file":0,"chunk":0}`},
		"accept twice":       {`{"type":"accept"}`, `{"type":"accept"}`},
		"ranges out of file": {`{"type":"accept","have":[{"file":0,"ranges":[[0,11]],"digest":"` + hash + `"}]}`},
		"ranges reversed":    {`{"type":"accept","have":[{"file":0,"ranges":[[5,2]],"digest":"` + hash + `"}]}`},
		"ranges overlap":     {`{"type":"accept","have":[{"file":0,"ranges":[[0,2],[1,3]],"digest":"` + hash + `"}]}`},
		"no digest":          {`{"type":"accept","have":[{"file":0,"ranges":[[0,2]]}]}`},
		"same file twice":    {`{"type":"held","have":[{"file":0,"ranges":[[0,2]],"digest":"` + hash + `"}]}`, `{"type":"accept","have":[{"file":0,"ranges":[[3,4]],"digest":"` + hash + `"}]}`},
		"verified too early": {`{"type":"accept"}`, `{"type":"verified","file":0,"hash":"` + hash + `"}`},
		"no number":          {`{"type":"accept"}`, `{"type":"have","file":"0"}`},
	} {
		p := newPair(t, 10*ChunkSize)
		for p.stepSender() {
		}
		for _, text := range texts {
			p.sender.Text([]byte(text))
			for p.stepSender() {
			}
		}
		if e := p.ended[0]; e == nil || e.Reason != Fault || !e.Mine {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestUnknownTypesAreIgnored(t *testing.T) {
	p := newPair(t, 10)
	p.down = append(p.down, frame{true, []byte(`{"type":"new","file":"else"}`)})
	p.down = nil
	p.sender.Text([]byte(`{"type":"new"}`))
	p.receiver.Text([]byte(`{"type":"new","files":[]}`))
	p.settle()
	p.complete()
}

func TestSplitFitsMessages(t *testing.T) {
	var list []string
	for range 500 {
		list = append(list, strings.Repeat("x", 1000))
	}
	n := 0
	for _, part := range split(list) {
		b, err := json.Marshal(part)
		if err != nil || len(b) > MaxText-1000 {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		n += len(part)
	}
	if n != len(list) {
		t.Errorf("%d of %d", n, len(list))
	}
}
