package demo

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// API returns the service behind the gateway. It sends no header of CORS, and
// answers no preflight.
func API() http.Handler {
	a := &api{users: map[string]user{
		"1": {"1", "Ada Lovelace"},
		"2": {"2", "Grace Hopper"},
		"3": {"3", "村上 陽子"},
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", a.list)
	mux.HandleFunc("GET /users/{id}", a.get)
	mux.HandleFunc("PUT /users/{id}", a.put)
	mux.HandleFunc("DELETE /users/{id}", a.delete)
	mux.HandleFunc("GET /visits", visits)
	mux.HandleFunc("GET /slow", slow)
	mux.HandleFunc("GET /broken", broken)
	mux.HandleFunc("GET /events", events)
	mux.HandleFunc("GET /private", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"secret": "pages of other origins do not read this"})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		reply(w, http.StatusNotFound, fault{"there is nothing at " + strconv.Quote(r.URL.Path)})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("X-Request-Id", strconv.FormatUint(a.requests.Add(1), 10))
		mux.ServeHTTP(w, r)
	})
}

type user struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type fault struct {
	Error string `json:"error"`
}

type api struct {
	requests atomic.Uint64
	mu       sync.Mutex
	users    map[string]user
}

func (a *api) list(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]user, 0, len(a.users))
	for _, id := range slices.Sorted(maps.Keys(a.users)) {
		list = append(list, a.users[id])
	}
	reply(w, http.StatusOK, list)
}

func (a *api) get(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if u, ok := a.find(w, r); ok {
		reply(w, http.StatusOK, u)
	}
}

func (a *api) put(w http.ResponseWriter, r *http.Request) {
	var u user
	if !authorized(w, r) {
		return
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&u); err != nil || u.Name == "" {
		reply(w, http.StatusBadRequest, fault{`the body has to be JSON such as {"name":"Ada"}`})
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	old, ok := a.find(w, r)
	if !ok {
		return
	}
	u.ID = old.ID
	a.users[u.ID] = u
	reply(w, http.StatusOK, u)
}

func (a *api) delete(w http.ResponseWriter, r *http.Request) {
	if !authorized(w, r) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if u, ok := a.find(w, r); ok {
		delete(a.users, u.ID)
		reply(w, http.StatusOK, u)
	}
}

// find returns the user whom r names, or answers that there is none.
func (a *api) find(w http.ResponseWriter, r *http.Request) (user, bool) {
	u, ok := a.users[r.PathValue("id")]
	if !ok {
		reply(w, http.StatusNotFound, fault{fmt.Sprintf("there is no user %.40q", r.PathValue("id"))})
	}
	return u, ok
}

// authorized answers whoever changes something without a token, of any kind.
func authorized(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") != "" {
		return true
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="demo"`)
	reply(w, http.StatusUnauthorized, fault{"this needs a token"})
	return false
}

// visits counts in a cookie, which a page's request carries only with
// credentials.
func visits(w http.ResponseWriter, r *http.Request) {
	n := 0
	if c, err := r.Cookie("visits"); err == nil {
		n, _ = strconv.Atoi(c.Value)
	}
	n++
	http.SetCookie(w, &http.Cookie{Name: "visits", Value: strconv.Itoa(n), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	reply(w, http.StatusOK, map[string]int{"visits": n})
}

func slow(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(2 * time.Second):
		reply(w, http.StatusOK, map[string]string{"waited": "2s"})
	}
}

// broken closes the connection, so that the gateway has to answer itself.
func broken(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// events sends the time once a second.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for now := time.Now(); ; {
		if _, err := fmt.Fprintf(w, "data: %s\n\n", now.Format(time.TimeOnly)); err != nil {
			return
		}
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case now = <-tick.C:
		}
	}
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // an error is the client's, who has gone
}
