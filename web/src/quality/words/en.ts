/** What the quality panel says, in English; it comes with the panel's code. de.ts has the same shape. */

interface Said {
  title: string;
  /** The next step; empty when there is none to take. */
  fix: string;
}

export const en = {
  unknown: 'Measuring…',
  good: 'The connection is good.',
  paused: 'Your upload is too small for video. Your picture is paused so that the others can keep hearing you.',
  pausedFix: 'It comes back by itself. Move closer to the Wi-Fi, or pause other uploads.',
  pausedOther: (name: string) =>
    `${name}’s connection is weak. The video is paused so that you can keep hearing ${name}.`,
  pausedOtherFix: 'You need not do anything. The picture comes back by itself.',

  /** What is wrong with my own side. */
  mine: {
    'upload-small': {
      title: 'Your upload is too small for video.',
      fix: 'Turn the camera off, or move closer to the Wi-Fi.',
    },
    'download-small': {
      title: 'Your download is too small for what the others send.',
      fix: 'Pause other downloads, or move closer to the Wi-Fi.',
    },
    loss: {
      title: 'Your network loses parts of sound and picture.',
      fix: 'Move closer to the Wi-Fi, or use a cable.',
    },
    delay: {
      title: 'The way between you is long, so answers come late.',
      fix: 'Let each other finish. Another network may be shorter.',
    },
    jitter: {
      title: 'Your network delivers in fits and starts.',
      fix: 'Move closer to the Wi-Fi, or use a cable.',
    },
    'relay-tcp': {
      title: 'Your network blocks UDP, so the call takes a slower way.',
      fix: 'Another network, such as a phone hotspot, may be faster.',
    },
    cpu: {
      title: 'This device is at its limit.',
      fix: 'Close other programs, or turn the camera off.',
    },
    reconnecting: {title: 'Your connection is coming back…', fix: 'You need not do anything.'},
  } satisfies Record<string, Said>,

  /** What is wrong with how somebody comes through. */
  others: {
    'their-network': (name: string): Said => ({
      title: `${name}’s connection is weak.`,
      fix: `You can do nothing about it here. Ask ${name} to move closer to the Wi-Fi, or to turn the camera off.`,
    }),
    'their-device': (name: string): Said => ({
      title: `${name}’s device is at its limit.`,
      fix: `Ask ${name} to close other programs, or to turn the camera off.`,
    }),
    'download-small': (name: string): Said => ({
      title: `Your download is too small for what ${name} sends.`,
      fix: 'Pause other downloads, or move closer to the Wi-Fi.',
    }),
    delay: (name: string): Said => ({
      title: `The way to ${name} is long, so answers come late.`,
      fix: 'Let each other finish. Another network may be shorter.',
    }),
    'relay-tcp': (name: string): Said => ({
      title: `The call to ${name} takes a slower way, because a network blocks UDP.`,
      fix: 'Another network, such as a phone hotspot, may be faster.',
    }),
    jitter: (name: string): Said => ({
      title: `Sound and picture from ${name} arrive in fits and starts.`,
      fix: 'Move closer to the Wi-Fi, or use a cable.',
    }),
    reconnecting: (name: string): Said => ({
      title: `The connection to ${name} is coming back…`,
      fix: 'You need not do anything.',
    }),
    other: (name: string): Said => ({
      title: `Parts of sound and picture get lost between you and ${name}.`,
      fix: 'Move closer to the Wi-Fi, or use a cable.',
    }),
  },

  direct: (name: string) => `Your sound and picture go straight to ${name}. Nobody in between can read them.`,
  relayed: 'No direct path is possible between these networks, so a relay passes the packets on. It cannot read them.',
  minutes: 'The last two minutes',
  rate: 'Rate',
  lost: 'Lost',
  roundTrip: 'Round trip',
  received: 'Received',
  sent: 'Sent',
  /** What a chart shows, for those who do not see it. */
  chart: (what: string, now: string, least: string, most: string) =>
    `${what}: now ${now}, between ${least} and ${most}.`,
  empty: (what: string) => `${what}: nothing measured yet.`,
  figures: 'All figures',
  toThem: (name: string) => `to ${name}`,
  fromThem: (name: string) => `from ${name}`,
  sources: {microphone: 'Sound', camera: 'Picture', screen: 'Screen', 'screen-audio': 'Screen sound'},
  rows: {
    bps: 'Rate',
    lost: 'Lost',
    jitter: 'Jitter',
    rtt: 'Round trip',
    buffer: 'Buffer',
    concealed: 'Made up',
    size: 'Size',
    frames: 'Frames',
    freezes: 'Standstills',
    limited: 'Held back by',
  },
  limits: {cpu: 'this device', bandwidth: 'the network', other: 'something else'},
  sound: (score: string) => `Sound ${score} of 4.5`,
  available: (rate: string) => `Room to send: ${rate}`,
  perSecond: (n: number) => `${n}/s`,
  standstills: (n: number, seconds: string) => `${n} (${seconds} s)`,
  ms: (n: number) => `${n} ms`,
  kbps: (n: number) => `${n} kbit/s`,
  mbps: (n: string) => `${n} Mbit/s`,
  percent: (n: string) => `${n} %`,
};

/** The shape that every language fills. */
export type QualityWords = typeof en;
