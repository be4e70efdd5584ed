package httpserver

import (
	"net/http"
	"strings"
)

// policy is what the page may load and do. Everything comes from this server; blob: is for workers, pictures and
// recordings made in the page, data: for pictures such as QR codes.
var policy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self' data: blob:",
	"media-src 'self' blob: mediastream:",
	"font-src 'self'",
	"manifest-src 'self'",
	"worker-src 'self' blob:",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
}, "; ")

// permissions keeps every power that the page does not use from whatever runs in it.
const permissions = "camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self), " +
	"screen-wake-lock=(self), picture-in-picture=(self), fullscreen=(self), autoplay=(self), clipboard-write=(self), " +
	"geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), accelerometer=(), " +
	"gyroscope=(), magnetometer=(), browsing-topics=()"

// hstsAge is how long browsers remember, in seconds: half a year, so that giving the domain up is not for ever.
const hstsAge = "max-age=15552000"

// guard sets the headers that every answer but the WebSocket's carries.
func (s *Server) guard(h http.Header, v *visit) {
	h.Set("Content-Security-Policy", policy+"; connect-src 'self' "+v.socketOrigin())
	h.Set("Permissions-Policy", permissions)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Robots-Tag", "noindex")
	if name, _ := splitHost(v.host); v.secure && s.cfg.HSTS != nil && s.cfg.HSTS(name) {
		h.Set("Strict-Transport-Security", hstsAge)
	}
}

// socketOrigin is this host for WebSockets: older browsers do not count it as 'self'. An IPv6 literal is not a valid
// source in a policy (W3C CSP3 §2.3.1), so for those 'self' alone has to do.
func (v *visit) socketOrigin() string {
	if strings.HasPrefix(v.host, "[") {
		return ""
	}
	if v.secure {
		return "wss://" + v.host
	}
	return "ws://" + v.host
}
