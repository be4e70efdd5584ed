import type {Words} from './en';

/** What Parley says in front of the door, in German. */
export const de: Words = {
  app: {
    line: 'Von Angesicht zu Angesicht, direkt von Browser zu Browser.',
    home: 'Startseite',
    close: 'Schließen',
  },

  door: {
    name: 'Dein Name',
    join: 'Beitreten',
    joining: 'Du trittst bei…',
    note: 'Wer du bist und warum (freiwillig)',
    nameNeeded: 'Schreib zuerst einen Namen, damit die anderen wissen, wer du bist.',
    connecting: 'Server wird erreicht…',
    slow: 'Der Server antwortet noch nicht. Neuer Versuch…',
    opens: 'Noch ist niemand da. Du eröffnest diesen Raum.',
    empty: 'Noch ist niemand da.',
    here: (names, n) => `${names} ${n === 1 ? 'ist' : 'sind'} da.`,
    away: (names) => `Verbindung weg, vielleicht gleich zurück: ${names}.`,
    knock: 'Hier lässt jemand die Gäste ein. Drück Beitreten und warte einen Moment.',
    and: ' und ',
    hostHere: 'Du leitest diesen Raum.',
    back: 'Du kommst zurück auf deinen Platz…',
  },

  refused: {
    'no-room': {
      title: 'Diesen Raum gibt es hier nicht',
      fix: 'Prüfe den Link. Neue Räume eröffnet auf diesem Server nur, wer einen Leitungslink hat.',
    },
    full: {
      title: 'Alle Plätze sind besetzt',
      fix: 'Versuch es wieder, wenn jemand geht. Diese Seite merkt es von selbst.',
    },
    locked: {
      title: 'Der Raum ist abgeschlossen',
      fix: 'Bitte die Leitung, ihn zu öffnen. Diese Seite merkt es von selbst.',
    },
    removed: {
      title: 'Die Leitung hat dich aus dem Raum entfernt',
      fix: 'Zurück kannst du vorerst nicht. Frag die Leitung.',
    },
    'no-hub': {
      title: 'Hier können gerade nur zwei sprechen',
      fix: 'Ein Netz drinnen sperrt diesen Server aus. Bitte darum, UDP zu ihm zu öffnen.',
    },
    'bad-secret': {title: 'Dieser Leitungslink gilt nicht mehr', fix: 'Als Gast kannst du trotzdem beitreten.'},
    encrypted: {
      title: 'Dieser Link passt nicht zum Raum',
      fix: 'Bitte um den ganzen Link, bis zum letzten Buchstaben.',
    },
    'cannot-encrypt': {
      title: 'Dieser Browser kann nicht verschlüsseln',
      fix: 'Aktualisiere ihn oder nimm einen anderen.',
    },
    busy: {title: 'Der Server ist ausgelastet', fix: 'Warte einen Moment und tritt dann noch einmal bei.'},
    away: {title: 'Der Server hat nicht geantwortet', fix: 'Prüfe deine Verbindung und tritt dann noch einmal bei.'},
    other: {title: 'Das hat nicht geklappt', fix: 'Warte einen Moment und tritt dann noch einmal bei.'},
  },

  device: {
    microphone: 'Mikrofon',
    camera: 'Kamera',
    speaker: 'Lautsprecher',
    systemDefault: 'Wie im System',
    none: 'Nichts gefunden',
    unknown: 'Noch nicht gewählt',
    test: 'Testton abspielen',
    testShort: 'Testton',
    level: 'Pegel des Mikrofons',
    preview: 'Dein Bild',
    cameraOff: 'Deine Kamera ist aus',
  },

  deviceNames: {
    microphone: {your: 'deinem Mikrofon', Your: 'Dein Mikrofon', the: 'das Mikrofon', no: 'Kein Mikrofon'},
    camera: {your: 'deiner Kamera', Your: 'Deine Kamera', the: 'die Kamera', no: 'Keine Kamera'},
    both: {
      your: 'Mikrofon und Kamera',
      Your: 'Mikrofon und Kamera',
      the: 'Mikrofon und Kamera',
      no: 'Weder Mikrofon noch Kamera',
    },
  },

  permission: {
    asking: {
      title: (your) => `Dein Browser fragt nach ${your}`,
      fix: 'Wähle „Zulassen“. Beides kannst du jederzeit wieder ausschalten.',
    },
    denied: {title: (Your) => `${Your}: auf dieser Seite nicht erlaubt`},
    dismissed: {
      title: (your) => `Die Frage nach ${your} wurde geschlossen`,
      fix: 'Lass noch einmal fragen, oder tritt ohne bei.',
    },
    missing: {
      title: (no) => `${no} gefunden`,
      fix: 'Steck eins an, oder tritt ohne bei: Du siehst und hörst die anderen trotzdem.',
    },
    busy: {
      title: (Your, both) => `${Your} ${both ? 'sind' : 'ist'} von einem anderen Programm belegt`,
      fix: 'Schließ das Programm, oder wähle ein anderes Gerät.',
    },
    insecure: {
      title: (the) => `Der Browser gibt ${the} für diese Seite nicht frei`,
      fix: 'Öffne die Adresse mit https:// davor. Beitreten kannst du auch ohne.',
    },
    held: {
      title: (Your, both) => `${Your} ${both ? 'sind' : 'ist'} vom System abgeschaltet`,
      fix: 'Das tut eine Taste oder ein Programm. Schalt es dort ein, oder wähle ein anderes Gerät.',
    },
    failed: {
      title: (Your) => `${Your}: Start misslungen`,
      fix: 'Zieh das Gerät ab und steck es wieder an, oder wähle ein anderes.',
    },
    again: 'Noch einmal fragen',
    retry: 'Noch einmal',
    browsers: {
      chrome: (what) => `Klick auf das Symbol links neben der Adresse, erlaube ${what} und lass noch einmal fragen.`,
      firefox: (what) =>
        `Klick auf das durchgestrichene Symbol neben der Adresse, hebe die Sperre für ${what} auf und lass noch einmal fragen.`,
      safari: (what) => `Öffne im Menü Safari „Einstellungen für diese Website“ und erlaube ${what}.`,
      ios: (what) => `Tipp auf das Seitenmenü neben der Adresse, dann „Website-Einstellungen“, und erlaube ${what}.`,
      android: (what) => `Tipp auf das Symbol links neben der Adresse, dann „Berechtigungen“, und erlaube ${what}.`,
      other: (what) => `Erlaube ${what} für diese Seite in den Einstellungen des Browsers.`,
    },
  },

  network: {
    checking: {title: 'Dein Netz wird geprüft…', fix: ''},
    direct: {title: 'Direkte Verbindung wahrscheinlich', fix: ''},
    udp: {title: 'Dein Netz lässt Gespräche durch', fix: 'Geht es nicht direkt, läuft das Gespräch über unser Relais.'},
    tcp: {
      title: 'Dein Netz sperrt UDP: Gespräche laufen über das Relais',
      fix: 'Das geht, nur langsamer. Ein anderes Netz, etwa ein Handy-Hotspot, ist vielleicht schneller.',
    },
    tls: {
      title: 'Dein Netz lässt nur Webseiten durch: Gespräche laufen über TLS durch das Relais',
      fix: 'Das geht, nur langsamer. Ein anderes Netz, etwa ein Handy-Hotspot, ist vielleicht schneller.',
    },
    blocked: {
      title: 'Dein Netz sperrt Gespräche',
      fix: 'Nimm ein anderes Netz, etwa einen Handy-Hotspot, oder bitte die Betreuer, Adresse und Port dieser Seite zu öffnen.',
    },
    'no-relay': {
      title: 'Dieser Server bietet dir kein Relais',
      fix: 'Das Gespräch geht, wo ein direkter Weg möglich ist.',
    },
    again: 'Noch einmal prüfen',
  },

  stale: {
    title: 'Seite und Server verstehen sich nicht mehr',
    line: 'Lade die Seite neu, dann ist sie die neueste.',
    reload: 'Neu laden',
  },
};
