package ice

import "time"

// step is one thing that happens, what the agent says it has changed, and where it would send afterwards.
//
// do is "check PATH", "nominate PATH" (with "old" or "new" credentials behind it during a restart, the newest by default), "tick"
// (HandleTimeout), "close PATH", "restart" or "look".
type step struct {
	at    time.Duration
	do    string
	event Event
	path  string
}

const sec = time.Second

func stories() map[string][]step {
	return map[string][]step{
		"a call": {
			{0, "look", 0, ""},
			{1 * sec, "check wifi", Found | Selected, "wifi"}, // may be used before its nomination
			{1 * sec, "nominate wifi", 0, "wifi"},
			{3 * sec, "check wifi", 0, "wifi"},
			{18*sec - 1, "look", 0, "wifi"},
			{18 * sec, "look", 0, ""}, // consent is gone
			{18 * sec, "tick", Lost, ""},
			{18 * sec, "tick", 0, ""},
			{20 * sec, "check wifi", Found | Selected, "wifi"},
		},
		"consent lives as long as checks come": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{14 * sec, "check wifi", 0, "wifi"},
			{28 * sec, "check wifi", 0, "wifi"},
			{42 * sec, "check wifi", 0, "wifi"},
			{56 * sec, "look", 0, "wifi"},
			{57 * sec, "look", 0, ""},
		},
		"a check right after consent has gone": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{16 * sec, "check wifi", Found | Selected, "wifi"},
		},
		"the last nomination wins": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{2 * sec, "check lte", Found, "wifi"},
			{3 * sec, "nominate lte", Selected, "lte"},
			{4 * sec, "check wifi", 0, "lte"},
			{5 * sec, "nominate wifi", Selected, "wifi"},
			{6 * sec, "nominate six", Found | Selected, "six"},
		},
		"a nomination beats what was only valid": {
			{0, "check wifi", Found | Selected, "wifi"},
			{0, "check six", Found, "wifi"},
			{0, "nominate lte", Found | Selected, "lte"},
		},
		"aggressive nomination: the best of those at once": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{100 * time.Millisecond, "nominate lte", Found, "wifi"},
			{200 * time.Millisecond, "nominate tcp", Found, "wifi"}, // whatever its priority says
			{300 * time.Millisecond, "nominate relay", Found, "wifi"},
			{400 * time.Millisecond, "nominate six", Found | Selected, "six"},
			{5 * sec, "check six", 0, "six"},
			{6 * sec, "nominate tcp", Selected, "tcp"}, // and later what it says
			{6100 * time.Millisecond, "nominate wifi", Selected, "wifi"},
		},
		"the network is gone, the peer nominates another": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{3 * sec, "nominate lte", Found | Selected, "lte"},
			{9 * sec, "check lte", 0, "lte"},
			{15 * sec, "tick", 0, "lte"}, // wifi is forgotten
			{16 * sec, "check wifi", Found, "lte"},
		},
		"a NAT gives another port to a peer that does not know": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{2 * sec, "check wifi", 0, "wifi"},
			{3 * sec, "check moved", Found, "wifi"}, // wifi was there 1 s ago
			{5 * sec, "check moved", Selected, "moved"},
			{8 * sec, "check moved", 0, "moved"},
		},
		"another candidate is not the same behind a NAT": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{4 * sec, "check lte", Found, "wifi"},
			{6 * sec, "check tcp", Found, "wifi"},
			{8 * sec, "check lte", Selected, "lte"}, // but it is when the selected one is deserted
			{9 * sec, "check wifi", 0, "lte"},
			{9 * sec, "nominate wifi", Selected, "wifi"},
		},
		"a connection ends": {
			{0, "nominate tcp", Found | Selected, "tcp"},
			{1 * sec, "check relay", Found, "tcp"},
			{2 * sec, "check wifi", Found, "tcp"},
			{3 * sec, "close tcp", Selected, "wifi"},
			{3 * sec, "close tcp", 0, "wifi"},
			{3 * sec, "close wifi", 0, "wifi"}, // the UDP socket is no connection
			{4 * sec, "close relay", 0, "wifi"},
		},
		"the last connection ends": {
			{0, "nominate tcp", Found | Selected, "tcp"},
			{3 * sec, "close tcp", Lost, ""},
		},
		"another nominated path takes over before one that was only valid": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{1 * sec, "nominate lte", Found | Selected, "lte"},
			{9 * sec, "check wifi", Selected, "wifi"}, // lte has been silent for 8 s
			{10 * sec, "check lte", 0, "wifi"},
			{11 * sec, "check six", Found, "wifi"},
			{24 * sec, "tick", Selected, "lte"},
			{25 * sec, "tick", Selected, "six"},
			{26 * sec, "tick", Lost, ""},
		},
		"restart": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{1 * sec, "restart", 0, "wifi"},
			{2 * sec, "check wifi old", 0, "wifi"},
			{2 * sec, "check lte new", Found, "wifi"},
			{3 * sec, "nominate wifi old", 0, "wifi"},
			{3 * sec, "nominate lte new", Selected | Retired, "lte"}, // at once, and though it is the worse one
			{4 * sec, "silent wifi old", 0, "lte"},
			{5 * sec, "nominate wifi new", Selected, "wifi"},
		},
		"restart on the same path": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{1 * sec, "restart", 0, "wifi"},
			{2 * sec, "check wifi new", 0, "wifi"},
			{3 * sec, "nominate wifi new", Retired, "wifi"},
			{4 * sec, "silent wifi old", 0, "wifi"},
		},
		"restart that the peer never follows": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{1 * sec, "restart", 0, "wifi"},
			{14 * sec, "check wifi old", 0, "wifi"},
			{28 * sec, "check wifi old", 0, "wifi"},
			{40 * sec, "nominate lte old", Found | Selected, "lte"},
		},
		"restart of a restart": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{1 * sec, "restart", 0, "wifi"},
			{2 * sec, "check lte new", Found, "wifi"},
			{3 * sec, "restart", 0, "wifi"},
			{4 * sec, "check wifi old", 0, "wifi"}, // those of the path that is up, not of the restart that did not finish
			{4 * sec, "silent lte 1", 0, "wifi"},
			{5 * sec, "nominate six new", Found | Selected | Retired, "six"},
		},
		"restart after everything was lost": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{15 * sec, "tick", Lost, ""},
			{16 * sec, "restart", 0, ""},
			{17 * sec, "check lte new", Found | Selected, "lte"},
			{18 * sec, "nominate wifi old", Found | Selected, "wifi"},
			{19 * sec, "nominate lte new", Selected | Retired, "lte"},
		},
	}
}
