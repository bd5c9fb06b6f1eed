package origin

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"
)

// A table is a set of strings for one writer and many readers: a hash with
// linear probing whose slots point into chunks of bytes. The bytes of an entry
// are written before its slot is, and never again, so that readers need no lock.
type table struct {
	seed   maphash.Seed // random, so that nobody can choose origins that collide
	slots  []atomic.Uint64
	chunks atomic.Pointer[[][]byte]

	// The writer's own.
	filled, size  int // bytes of the last chunk in use; of all chunks
	live, removed int // entries; removed ones, whose slots and bytes stay in use
}

// A slot holds 24 bits of the hash, 16 of the chunk, 24 of the place in it.
const (
	slotFree    = 0
	slotRemoved = 1 << tagShift // no entry: none begins at place 0 of chunk 0

	placeBits = 24
	tagShift  = placeBits + 16
	maxChunk  = 1 << placeBits
)

// entrySize is the size of s in a chunk: two bytes of length, then s.
func entrySize(s string) int { return 2 + len(s) }

// grown returns a table with the entries of t and room for n more of size bytes.
func (t *table) grown(n, size int) *table {
	if t != nil {
		n = t.live + max(n, t.live/2) // so that adding one by one costs a constant each
		t.each(func(s string) { size += entrySize(s) })
	}
	next := &table{seed: maphash.MakeSeed(), slots: make([]atomic.Uint64, n*5/4+8)}
	next.chunks.Store(&[][]byte{})
	next.reserve(size)
	if t != nil {
		t.each(next.add)
	}
	return next
}

func (t *table) hasRoom(n int) bool {
	return t.live+t.removed+n <= len(t.slots)*4/5
}

// reserve sees to it that the last chunk has size bytes to fill, or as many as
// a chunk can have.
func (t *table) reserve(size int) {
	chunks := *t.chunks.Load()
	if len(chunks) > 0 && len(chunks[len(chunks)-1])-t.filled >= size {
		return
	}
	t.filled = 0
	if len(chunks) == 0 {
		size++
		t.filled = 1 // place 0 of chunk 0 would look like a free slot
	}
	// An eighth more than there is, so that few chunks do and little stays empty.
	size = min(max(size, t.size/8, 1<<10), maxChunk)
	t.size += size
	longer := append(chunks[:len(chunks):len(chunks)], make([]byte, size))
	t.chunks.Store(&longer)
}

// add adds s if it is not there. There must be room for it.
func (t *table) add(s string) {
	hash := maphash.String(t.seed, s)
	i := t.home(hash)
	for ; ; i = t.next(i) {
		// The slot of a removed entry is not taken: a reader may be comparing it.
		slot := t.slots[i].Load()
		if slot == slotFree {
			break
		}
		if slot>>tagShift == hash>>tagShift && slot != slotRemoved && t.entry(slot) == s {
			return
		}
	}
	t.reserve(entrySize(s))
	chunks := *t.chunks.Load()
	last := len(chunks) - 1
	b := chunks[last][t.filled:]
	b[0], b[1] = byte(len(s)>>8), byte(len(s))
	copy(b[2:], s)
	t.slots[i].Store(hash>>tagShift<<tagShift | uint64(last)<<placeBits | uint64(t.filled))
	t.filled += entrySize(s)
	t.live++
}

// remove removes s if it is there.
func (t *table) remove(s string) {
	if i, ok := t.slot(maphash.String(t.seed, s), s); ok {
		t.slots[i].Store(slotRemoved)
		t.live--
		t.removed++
	}
}

func (t *table) has(s string) bool { return t.find(maphash.String(t.seed, s), s) }

// find reports whether s, whose hash is hash, is in t.
func (t *table) find(hash uint64, s string) bool {
	_, ok := t.slot(hash, s)
	return ok
}

func (t *table) slot(hash uint64, s string) (i int, ok bool) {
	for i = t.home(hash); ; i = t.next(i) {
		slot := t.slots[i].Load()
		if slot == slotFree {
			return i, false
		}
		if slot>>tagShift == hash>>tagShift && slot != slotRemoved && t.entry(slot) == s {
			return i, true
		}
	}
}

// entry returns the string to which slot points.
func (t *table) entry(slot uint64) string {
	chunk := (*t.chunks.Load())[slot>>placeBits&(1<<(tagShift-placeBits)-1)]
	b := chunk[slot&(maxChunk-1):]
	return view(b[2 : 2+int(b[0])<<8+int(b[1])])
}

// home is where the search for hash begins. It takes the low bits: the high
// ones are the tag.
func (t *table) home(hash uint64) int {
	hi, _ := bits.Mul64(hash<<(64-tagShift), uint64(len(t.slots)))
	return int(hi)
}

func (t *table) next(i int) int {
	if i++; i == len(t.slots) {
		return 0
	}
	return i
}

// each yields the entries in the order in which they were added. It is for the
// writer.
func (t *table) each(f func(s string)) {
	chunks := *t.chunks.Load()
	for i, chunk := range chunks {
		place, end := 0, len(chunk)
		if i == 0 {
			place = 1
		}
		if i == len(chunks)-1 {
			end = t.filled
		}
		for place+entrySize("") < end {
			at := uint64(i)<<placeBits | uint64(place)
			s := t.entry(at)
			if s == "" {
				break // the rest of the chunk was too small for the next one
			}
			place += entrySize(s)
			if t.removed > 0 && !t.holds(s, at) {
				continue
			}
			f(s)
		}
	}
}

// holds reports whether s is in t by the entry at this chunk and place.
func (t *table) holds(s string, at uint64) bool {
	i, ok := t.slot(maphash.String(t.seed, s), s)
	return ok && t.slots[i].Load()&(1<<tagShift-1) == at
}
