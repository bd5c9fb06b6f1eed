package fetch

// A Destination says what a page wants a response for. It is empty for fetch()
// and XMLHttpRequest; the elements and rules that load something have their own,
// with the mode and credentials mode that they use:
//
//	<script crossorigin>        DestinationScript, ModeCORS, CredentialsSameOrigin
//	<script type=module>        the same
//	@font-face                  DestinationFont, ModeCORS, CredentialsSameOrigin
//	<img crossorigin=use-credentials>
//	                            DestinationImage, ModeCORS, CredentialsInclude
//	<img>                       DestinationImage, ModeNoCORS, CredentialsInclude
//
// It decides the Accept header, Sec-Fetch-Dest, which types of content are
// blocked, and whether http: is upgraded in a page over https.
//
// https://fetch.spec.whatwg.org/#concept-request-destination
type Destination string

// The destinations of requests that a page makes for itself; those that open
// another document are none of them.
const (
	DestinationAudio        Destination = "audio"
	DestinationAudioWorklet Destination = "audioworklet"
	DestinationFont         Destination = "font"
	DestinationImage        Destination = "image"
	DestinationJSON         Destination = "json"
	DestinationManifest     Destination = "manifest"
	DestinationPaintWorklet Destination = "paintworklet"
	DestinationScript       Destination = "script"
	DestinationSharedWorker Destination = "sharedworker"
	DestinationStyle        Destination = "style"
	DestinationText         Destination = "text"
	DestinationTrack        Destination = "track"
	DestinationVideo        Destination = "video"
	DestinationWorker       Destination = "worker"
	DestinationXSLT         Destination = "xslt"
)

func (d Destination) isValid() bool {
	switch d {
	case "", DestinationAudio, DestinationAudioWorklet, DestinationFont, DestinationImage, DestinationJSON, DestinationManifest,
		DestinationPaintWorklet, DestinationScript, DestinationSharedWorker, DestinationStyle, DestinationText, DestinationTrack,
		DestinationVideo, DestinationWorker, DestinationXSLT:
		return true
	}
	return false
}

// isScriptLike is https://fetch.spec.whatwg.org/#request-destination-script-like.
func (d Destination) isScriptLike() bool {
	switch d {
	case DestinationAudioWorklet, DestinationPaintWorklet, DestinationScript, DestinationSharedWorker, DestinationWorker:
		return true
	}
	return false
}

// accept is the value of Accept where the page sets none.
//
// https://fetch.spec.whatwg.org/#concept-fetch step 12.3
func (d Destination) accept() string {
	switch d {
	case DestinationImage:
		return "image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
	case DestinationJSON:
		return "application/json,*/*;q=0.5"
	case DestinationStyle:
		return "text/css,*/*;q=0.1"
	case DestinationText:
		return "text/plain,*/*;q=0.5"
	}
	return "*/*"
}

// secFetchDest is the value of Sec-Fetch-Dest.
//
// https://w3c.github.io/webappsec-fetch-metadata/#abstract-opdef-set-dest
func (d Destination) secFetchDest() string {
	if d == "" {
		return "empty"
	}
	return string(d)
}
