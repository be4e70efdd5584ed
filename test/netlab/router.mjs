/**
 * What routers do to packets, in nft's language. The words are those of RFC 4787: mapping (which outside port a flow
 * gets) and filtering (whose packets may come back).
 *
 * Every router drops what comes in unasked on its own account, as a real home router does. Without that the other side's
 * first connectivity check would make a connection-tracking entry on the router that collides with the mapping it is
 * meant for; Linux would then choose another port, and punching would fail.
 */

/**
 * - `port-restricted`: endpoint-independent mapping (port kept), address- and port-dependent filtering;
 * - `full-cone`: endpoint-independent mapping and filtering, for one client;
 * - `symmetric`: address- and port-dependent mapping (a random port for every destination), and filtering;
 * - `udp-blocked`: as port-restricted, and no UDP passes but DNS;
 * - `tls-only`: as port-restricted, and nothing passes but DNS and TLS to port 443: the firewall looks inside and resets
 *   what is STUN in the clear (its magic cookie stands at offset 4), so that TURN over plain TCP is no way out.
 * @typedef {'port-restricted' | 'full-cone' | 'symmetric' | 'udp-blocked' | 'tls-only'} Kind
 */

/**
 * The rules of a NAT between `lan` and `wan`.
 *
 * @param {Kind} kind
 * @param {string} client the one client's address, for full cone
 */
export function nat(kind, client) {
  const masquerade = kind === 'symmetric' ? 'masquerade random,fully-random' : 'masquerade';
  const prerouting = kind === 'full-cone' ? `iifname "wan" udp dport 1024-65535 dnat to ${client}` : '';
  return `
table ip nat {
  chain prerouting { type nat hook prerouting priority dstnat; ${prerouting}
  }
  chain postrouting { type nat hook postrouting priority srcnat; oifname "wan" ${masquerade}
  }
}
table inet filter {
  chain input { type filter hook input priority filter; iifname "wan" ct state new drop
  }
  chain forward { type filter hook forward priority filter;
    ${forward(kind)}
  }
}
`;
}

/** @param {Kind} kind */
function forward(kind) {
  const unasked = 'iifname "wan" ct state new drop';
  switch (kind) {
    case 'full-cone':
      return 'iifname "wan" ct state new meta l4proto != udp drop';
    case 'udp-blocked':
      return `${unasked}\n    udp dport 53 accept\n    ct state established udp sport 53 accept\n    meta l4proto udp drop`;
    case 'tls-only':
      return `${unasked}\n    udp dport 53 accept\n    tcp dport 443 @ih,32,32 0x2112a442 reject with tcp reset\n    tcp dport 443 accept\n    iifname "wan" ct state established accept\n    drop`;
    default:
      return unasked;
  }
}

/** The rules of an IPv6 home router: no translation, and nothing comes in unasked. */
export function firewall6() {
  return `
table inet filter {
  chain input { type filter hook input priority filter; iifname "wan" ct state new meta l4proto != ipv6-icmp drop
  }
  chain forward { type filter hook forward priority filter; iifname "wan" ct state new drop
  }
}
`;
}
