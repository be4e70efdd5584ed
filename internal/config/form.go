package config

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// notForm says why word has not the form that a field's tag asks for; "" when it has.
func notForm(form, word string) string {
	switch form {
	case "domain":
		return notDomain(word)
	case "origin":
		return notOrigin(word)
	case "url":
		return notURL(word)
	case "email":
		return notEmail(word)
	}
	return ""
}

// notDomain says why name cannot be the name of a server with a public certificate (RFC 1123 §2.1).
func notDomain(name string) string {
	if strings.ContainsAny(name, "/:") {
		return strconv.Quote(name) + " must be the name alone, such as meet.example.org"
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return strconv.Quote(name) + " is an address, not a name; without a name, leave domain out"
	}
	if len(name) > 253 {
		return "longer than 253 bytes"
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return strconv.Quote(name) + " is not a domain name"
		}
		for _, r := range label {
			if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
				return strconv.Quote(name) + " is not a domain name in lower-case letters, digits, '-' and '.'; write other letters in the xn-- form"
			}
		}
	}
	if !strings.Contains(name, ".") {
		return strconv.Quote(name) + " has no dot: no authority certifies it"
	}
	return ""
}

// notOrigin says why o is not a web origin as browsers send it (RFC 6454 §6.2).
func notOrigin(o string) string {
	u, err := url.Parse(o)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || o != u.Scheme+"://"+u.Host || o != strings.ToLower(o) {
		return strconv.Quote(o) + " is not an origin; write scheme and host only, in lower case, such as https://example.org"
	}
	return ""
}

// notURL says why s is not an https address. It does not repeat s, which may hold a password.
func notURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "":
		return "not an https:// address"
	case u.User != nil:
		return "must hold no user name or password"
	}
	return ""
}

// notEmail says why s is not an e-mail address, without the exotic forms of RFC 5322.
func notEmail(s string) string {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || domain == "" || strings.ContainsAny(s, " ,<>\"") || strings.Contains(domain, "@") {
		return strconv.Quote(s) + " is not an e-mail address"
	}
	return ""
}
