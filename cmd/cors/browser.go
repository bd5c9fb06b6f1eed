package main

import (
	"io"

	"github.com/andybalholm/brotli"
	"github.com/crossorigin/cors/fetch"
	"github.com/klauspost/compress/zstd"
)

// newBrowser returns a browser that decodes all that browsers decode.
func newBrowser(profile fetch.Profile) *fetch.Browser {
	return &fetch.Browser{
		Profile: profile,
		Cookies: &fetch.CookieJar{},
		ContentCodings: map[string]fetch.ContentCoding{
			"br":   func(coded io.Reader) (io.Reader, error) { return brotli.NewReader(coded), nil },
			"zstd": decodeZstd,
		},
	}
}

// decodeZstd takes no window above 8 MB, as browsers do.
//
// https://www.rfc-editor.org/rfc/rfc9659
func decodeZstd(coded io.Reader) (io.Reader, error) {
	return zstd.NewReader(coded, zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
}

// profiles are the browsers by name.
var profiles = map[string]fetch.Profile{
	"standard": fetch.Standard, "chromium": fetch.Chromium, "firefox": fetch.Firefox, "webkit": fetch.WebKit,
}
