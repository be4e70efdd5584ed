/**
 * What Parley says in front of the door, in English. de.ts has the same shape, so a missing sentence fails the type
 * check. What it says in a call stands in call/words, on the start page in screens/landing-words.
 */
export const en = {
  app: {
    line: 'Talk face to face, straight from one browser to the other.',
    home: 'Start page',
    close: 'Close',
  },

  door: {
    name: 'Your name',
    join: 'Join',
    joining: 'Joining…',
    note: 'Who you are, and why (optional)',
    nameNeeded: 'Type a name first, so that others know who you are.',
    connecting: 'Reaching the server…',
    slow: 'The server does not answer yet. Trying again…',
    opens: 'Nobody is here yet. You open this room.',
    empty: 'Nobody is here yet.',
    here: (names: string, n: number) => `${names} ${n === 1 ? 'is' : 'are'} here.`,
    away: (names: string) => `${names} lost the connection and may come back.`,
    knock: 'A host lets people in here. Press Join, then wait for them.',
    and: ' and ',
    hostHere: 'You are the host of this room.',
    back: 'Taking you back to your seat…',
  },

  refused: {
    'no-room': {
      title: 'There is no such room here',
      fix: 'Check the link. Only someone with a host link can open a new room on this server.',
    },
    full: {title: 'Every seat is taken', fix: 'Try again when somebody has left. This page notices by itself.'},
    locked: {title: 'The host has locked this room', fix: 'Ask them to unlock it. This page notices by itself.'},
    removed: {title: 'A host removed you from this room', fix: 'You cannot come back for now. Ask the host.'},
    'no-hub': {
      title: 'Only two can talk here for now',
      fix: 'A network inside keeps this server out. Ask them to open UDP to it.',
    },
    'bad-secret': {title: 'This host link no longer fits', fix: 'You can still join as a guest.'},
    encrypted: {title: 'This link does not fit the room', fix: 'Ask for the whole link, to its last letter.'},
    'cannot-encrypt': {
      title: 'This browser cannot encrypt',
      fix: 'Update it, or use another.',
    },
    busy: {title: 'The server is busy', fix: 'Wait a moment, then join again.'},
    away: {title: 'The server did not answer', fix: 'Check your connection, then join again.'},
    other: {title: 'That did not work', fix: 'Wait a moment, then join again.'},
  },

  device: {
    microphone: 'Microphone',
    camera: 'Camera',
    speaker: 'Speaker',
    systemDefault: 'System default',
    none: 'None found',
    unknown: 'Not chosen yet',
    test: 'Play a test tone',
    testShort: 'Test',
    level: 'Microphone level',
    preview: 'Your picture',
    cameraOff: 'Your camera is off',
  },

  /** The devices as they stand in the sentences below. */
  deviceNames: {
    microphone: {your: 'your microphone', Your: 'Your microphone', the: 'the microphone', no: 'No microphone'},
    camera: {your: 'your camera', Your: 'Your camera', the: 'the camera', no: 'No camera'},
    both: {
      your: 'your microphone and camera',
      Your: 'Your microphone and camera',
      the: 'the microphone and camera',
      no: 'No microphone or camera',
    },
  },

  permission: {
    asking: {
      title: (your: string) => `Your browser is asking for ${your}`,
      fix: 'Choose Allow. You can turn either off again at any time.',
    },
    denied: {title: (Your: string) => `${Your} may not be used on this page`},
    dismissed: {
      title: (your: string) => `The question about ${your} was closed`,
      fix: 'Ask again, or join without.',
    },
    missing: {
      title: (no: string) => `${no} found`,
      fix: 'Plug one in, or join without: you still see and hear the others.',
    },
    busy: {
      title: (Your: string, both: boolean) => `${Your} ${both ? 'are' : 'is'} taken by another program`,
      fix: 'Close that program, or choose another device.',
    },
    insecure: {
      title: (the: string) => `The browser keeps ${the} from this page`,
      fix: 'Open the address with https:// in front. You can join without.',
    },
    held: {
      title: (Your: string, both: boolean) => `${Your} ${both ? 'are' : 'is'} turned off by your system`,
      fix: 'A key, a switch or a program does that. Turn it on there, or choose another device.',
    },
    failed: {
      title: (Your: string) => `${Your} did not start`,
      fix: 'Unplug it and plug it in again, or choose another device.',
    },
    again: 'Ask again',
    retry: 'Try again',
    browsers: {
      chrome: (what: string) => `Click the icon left of the address, allow ${what}, then ask again.`,
      firefox: (what: string) =>
        `Click the crossed-out icon beside the address, remove the block on ${what}, then ask again.`,
      safari: (what: string) => `Open the Safari menu, Settings for this Website, and allow ${what}.`,
      ios: (what: string) => `Tap the page menu beside the address, Website Settings, and allow ${what}.`,
      android: (what: string) => `Tap the icon left of the address, Permissions, and allow ${what}.`,
      other: (what: string) => `Allow ${what} for this page in your browser’s settings.`,
    },
  },

  network: {
    checking: {title: 'Checking your network…', fix: ''},
    direct: {title: 'Direct connection likely', fix: ''},
    udp: {
      title: 'Your network lets calls through',
      fix: 'If a direct path is not possible, the call goes through our relay.',
    },
    tcp: {
      title: 'Your network blocks UDP: calls will be relayed',
      fix: 'That is fine, only slower. Another network, such as a phone hotspot, may be faster.',
    },
    tls: {
      title: 'Your network lets only web traffic out: calls will be relayed over TLS',
      fix: 'That is fine, only slower. Another network, such as a phone hotspot, may be faster.',
    },
    blocked: {
      title: 'Your network blocks calls',
      fix: 'Try another network, such as a phone hotspot, or ask who runs it to open this page’s address and port.',
    },
    'no-relay': {
      title: 'This server offers you no relay',
      fix: 'The call works where a direct path is possible.',
    },
    again: 'Check again',
  },

  /** The server has newer files than this page. */
  stale: {
    title: 'This page and the server no longer understand each other',
    line: 'Reload the page to get the newest one.',
    reload: 'Reload',
  },
};

/** The shape that every language fills. */
export type Words = typeof en;
