import type {QualityWords} from './en';

/** Was die Anzeige der Qualität sagt, auf Deutsch. */
export const de: QualityWords = {
  unknown: 'Wird gemessen…',
  good: 'Die Verbindung ist gut.',
  paused: 'Dein Upload reicht nicht für Video. Dein Bild macht Pause, damit die anderen dich weiter hören können.',
  pausedFix: 'Es kommt von selbst wieder. Geh näher ans WLAN, oder halte andere Uploads an.',
  pausedOther: (name) =>
    `Die Verbindung von ${name} ist schwach. Das Bild macht Pause, damit du ${name} weiter hören kannst.`,
  pausedOtherFix: 'Du brauchst nichts zu tun. Das Bild kommt von selbst wieder.',

  mine: {
    'upload-small': {
      title: 'Dein Upload reicht nicht für Video.',
      fix: 'Schalte die Kamera aus, oder geh näher ans WLAN.',
    },
    'download-small': {
      title: 'Dein Download reicht nicht für das, was die anderen senden.',
      fix: 'Halte andere Downloads an, oder geh näher ans WLAN.',
    },
    loss: {
      title: 'In deinem Netz gehen Teile von Ton und Bild verloren.',
      fix: 'Geh näher ans WLAN, oder nimm ein Kabel.',
    },
    delay: {
      title: 'Der Weg zwischen euch ist lang, darum kommen Antworten spät.',
      fix: 'Lasst einander ausreden. In einem anderen Netz ist der Weg vielleicht kürzer.',
    },
    jitter: {
      title: 'Dein Netz liefert stoßweise.',
      fix: 'Geh näher ans WLAN, oder nimm ein Kabel.',
    },
    'relay-tcp': {
      title: 'Dein Netz sperrt UDP, darum nimmt der Anruf einen langsameren Weg.',
      fix: 'Ein anderes Netz, etwa der Hotspot eines Telefons, ist vielleicht schneller.',
    },
    cpu: {
      title: 'Dieses Gerät ist an seiner Grenze.',
      fix: 'Schließe andere Programme, oder schalte die Kamera aus.',
    },
    reconnecting: {title: 'Deine Verbindung kommt zurück…', fix: 'Du brauchst nichts zu tun.'},
  },

  others: {
    'their-network': (name) => ({
      title: `Die Verbindung von ${name} ist schwach.`,
      fix: `Von hier aus lässt sich nichts tun. Bitte ${name}, näher ans WLAN zu gehen oder die Kamera auszuschalten.`,
    }),
    'their-device': (name) => ({
      title: `Das Gerät von ${name} ist an seiner Grenze.`,
      fix: `Bitte ${name}, andere Programme zu schließen oder die Kamera auszuschalten.`,
    }),
    'download-small': (name) => ({
      title: `Dein Download reicht nicht für das, was ${name} sendet.`,
      fix: 'Halte andere Downloads an, oder geh näher ans WLAN.',
    }),
    delay: (name) => ({
      title: `Der Weg zu ${name} ist lang, darum kommen Antworten spät.`,
      fix: 'Lasst einander ausreden. In einem anderen Netz ist der Weg vielleicht kürzer.',
    }),
    'relay-tcp': (name) => ({
      title: `Der Anruf zu ${name} nimmt einen langsameren Weg, weil ein Netz UDP sperrt.`,
      fix: 'Ein anderes Netz, etwa der Hotspot eines Telefons, ist vielleicht schneller.',
    }),
    jitter: (name) => ({
      title: `Ton und Bild von ${name} kommen stoßweise an.`,
      fix: 'Geh näher ans WLAN, oder nimm ein Kabel.',
    }),
    reconnecting: (name) => ({
      title: `Die Verbindung zu ${name} kommt zurück…`,
      fix: 'Du brauchst nichts zu tun.',
    }),
    other: (name) => ({
      title: `Zwischen dir und ${name} gehen Teile von Ton und Bild verloren.`,
      fix: 'Geh näher ans WLAN, oder nimm ein Kabel.',
    }),
  },

  direct: (name) => `Ton und Bild gehen geradewegs zu ${name}. Niemand dazwischen kann sie lesen.`,
  relayed:
    'Zwischen diesen Netzen geht es nicht direkt, darum reicht ein Relais die Pakete weiter. Lesen kann es sie nicht.',
  minutes: 'Letzte zwei Minuten',
  rate: 'Rate',
  lost: 'Verloren',
  roundTrip: 'Hin und zurück',
  received: 'Empfangen',
  sent: 'Gesendet',
  chart: (what, now, least, most) => `${what}: jetzt ${now}, zwischen ${least} und ${most}.`,
  empty: (what) => `${what}: noch nichts gemessen.`,
  figures: 'Alle Zahlen',
  toThem: (name) => `an ${name}`,
  fromThem: (name) => `von ${name}`,
  sources: {microphone: 'Ton', camera: 'Bild', screen: 'Bildschirm', 'screen-audio': 'Bildschirmton'},
  rows: {
    bps: 'Rate',
    lost: 'Verloren',
    jitter: 'Schwankung',
    rtt: 'Hin und zurück',
    buffer: 'Puffer',
    concealed: 'Ergänzt',
    size: 'Größe',
    frames: 'Bilder',
    freezes: 'Stillstände',
    limited: 'Gebremst durch',
  },
  limits: {cpu: 'dieses Gerät', bandwidth: 'das Netz', other: 'etwas anderes'},
  sound: (score) => `Ton ${score} von 4,5`,
  available: (rate) => `Platz zum Senden: ${rate}`,
  perSecond: (n) => `${n}/s`,
  standstills: (n, seconds) => `${n} (${seconds} s)`,
  ms: (n) => `${n} ms`,
  kbps: (n) => `${n} kbit/s`,
  mbps: (n) => `${n} Mbit/s`,
  percent: (n) => `${n} %`,
};
