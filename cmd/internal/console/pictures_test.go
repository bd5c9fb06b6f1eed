package console

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/crossorigin/cors"
)

// A picture is a panel as docs/console.md shows it.
type picture struct {
	panel  string
	height int64
	pose   string // a script
	posed  string // is true, in JavaScript, once it has been done
}

var pictures = []picture{
	{"live", 1000, "document.querySelectorAll('#origins details')[1].open = true", "document.querySelector('#origins details[open] pre').innerText !== '' && document.querySelectorAll('#history tbody > *').length > 3"},
	{"try", 1120, "document.querySelector('[name=url]').value += 'users/1'; document.querySelector('[name=method]').value = 'DELETE'; document.querySelector('[type=submit]').click()", "document.querySelector('#result .drawing')?.complete && document.querySelector('#result .agreement').textContent"},
	{"policy", 800, "write(policy().replace('      - \"https://*.example.com\"\\n', '').replace('PATCH', 'DELETE'))", "document.querySelectorAll('#changes > *').length > 2"},
	{"play", 1330, "document.querySelector('#begin').value = 'allow-headers-missing'; document.querySelector('#begin').dispatchEvent(new Event('change')); document.querySelector('[type=submit]').click()", "document.querySelector('#result .drawing')?.complete && document.querySelector('#result .agreement').textContent"},
	{"learn", 900, "for (const name of ['origin-sent', 'origin-forged']) document.querySelector(`[data-example=${name}] .run`).click()", "document.querySelectorAll('.agreement').length === 2"},
}

const (
	pictureWidth = 1200
	maxPicture   = 120 << 10 // bytes
)

// TestTheDocsShowEachPanel makes the pictures of docs/console.md with -u, on the
// ports that they show, and else looks whether there is one of each panel.
func TestTheDocsShowEachPanel(t *testing.T) {
	if *update {
		browser := chromium(t)
		s, alone := newSiteAt(t, "3000", "8080", "8081"), newAloneAt(t, "8090")
		s.day(t)
		for _, pic := range pictures {
			i := slices.IndexFunc(panels, func(p panel) bool { return p.name == pic.panel })
			s := panels[i].in(s, alone)
			write(t, pic, s.take(t, s.open(t, browser, pic.panel, look{"en", "light", pictureWidth}), pic))
		}
	}
	shown := make(map[string]bool)
	for _, pic := range pictures {
		shown[pic.panel] = true
		data, err := os.ReadFile(pic.path())
		if err != nil {
			t.Errorf("%v; run go test -u", err)
			continue
		}
		c, err := png.DecodeConfig(bytes.NewReader(data))
		if err != nil || c.Width != pictureWidth || c.Height != int(pic.height) || len(data) > maxPicture {
			t.Errorf("%s: %d × %d in %d bytes, %v; want %d × %d in %d at most", pic.path(), c.Width, c.Height, len(data), err, pictureWidth, pic.height, maxPicture)
		}
	}
	for _, panel := range panels {
		if !shown[panel.name] {
			t.Errorf("the docs have no picture of %q", panel.name)
		}
	}
}

func (pic picture) path() string { return "../../../docs/console-" + pic.panel + ".png" }

// day has the gateway decide on requests, as if it had for five minutes.
func (s *site) day(t *testing.T) {
	s.traffic(t)
	h := newHistory(time.Now().Add(-5 * time.Minute))
	var total counts
	for i := range 300 {
		wave := 1 + math.Sin(float64(i)/25)/2 + math.Sin(float64(i)/7)/5
		total[cors.ReasonNone] += uint64(40 * wave)
		total[cors.ReasonOrigin] += uint64(3 * wave)
		if i > 180 && i < 250 {
			total[cors.ReasonMethod] += uint64(12 * wave)
		}
		if i%20 == 0 {
			total[cors.ReasonRequestHeader] += 2
		}
		h.take(time.Now().Add(time.Duration(i-299)*time.Second), total)
	}
	s.memory.allowed.Add(total[cors.ReasonNone])
	for reason, n := range total[cors.ReasonNone+1:] {
		s.memory.refused[reason+1].Add(n)
	}
	s.memory.notCORS.Add(4321)
	s.live.history.mu.Lock()
	defer s.live.history.mu.Unlock()
	s.live.history.spans, s.live.history.last = h.spans, s.memory.counts()
}

// take takes a picture.
func (s *site) take(t *testing.T, p *tab, pic picture) image.Image {
	p.do(t, chromedp.EmulateViewport(pictureWidth, pic.height))
	p.until(t, readyOf(pic.panel))
	p.run(t, "document.documentElement.style.scrollbarGutter = 'auto';"+helpers+pic.pose)
	p.until(t, pic.posed)
	data, err := chromedp.Run(p, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func write(t *testing.T, pic picture, img image.Image) {
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, fewColours(img)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pic.path(), out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// fewColours is img in the 256 colours that it has most of, and those next to
// them.
func fewColours(img image.Image) image.Image {
	count := make(map[color.Color]int)
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[img.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(count), func(a, b color.Color) int { return cmp.Compare(count[b], count[a]) })
	few := image.NewPaletted(b, colours[:min(256, len(colours))])
	next := make(map[color.Color]uint8)
	for c := range count {
		next[c] = uint8(few.Palette.Index(c))
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			few.SetColorIndex(x, y, next[img.At(x, y)])
		}
	}
	return few
}
