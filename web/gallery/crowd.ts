/** Scenes of three and more. */

import type {Visit} from '../src/visit/visit';
import {FakePerson} from './fakes';
import {cameraTrack, screenTrack} from './pictures';
import type {Make, Scene} from './scenes';

type Call = (people: () => FakePerson[], act?: (visit: Visit, scene: Scene) => void) => Make;

const NAMES =
  'Robin,Ann Okafor,Ben Hartmann,Chidi Anagonye,Dilnoza Yusupova,Élodie Tremblay-Boucher,Faisal,Grace Hopper,Hana Sato,' +
  'Ivo,Jana Nováková,Kofi Mensah,Lena,Marek,Nia Williams,Ömer Demir,Priya Raman,Quentin,Rosa,Søren,Tomás,Uma,Vera,' +
  'Wanjiku,Xu Li,Yara,Zoë';

const OFF = {microphone: false, camera: false, screen: false, screenAudio: false};
const SCREEN = {microphone: true, camera: true, screen: true, screenAudio: false};
const hub = {kind: 'hub', rttMs: 31} as never;

/** So many people; every fourth has the camera off, every third is muted. */
function people(count: number, change: (list: FakePerson[]) => void = () => undefined): () => FakePerson[] {
  return () => {
    const names = NAMES.split(',');
    const looks = ['ann', 'ben', 'me'].map((look) => cameraTrack(look, 640, 360));
    const list = Array.from({length: count}, (_, i) => {
      const camera = i % 4 !== 3;
      const track = looks[i % 3];
      return new FakePerson(`${names[i % names.length]}${i >= names.length ? ` ${i}` : ''}`, i + 1, {
        isMe: i === 0,
        path: i === 0 ? {kind: 'none'} : hub,
        media: {...OFF, microphone: i % 3 !== 2, camera},
        tracks: new Map(camera && track ? [['camera', track]] : []),
        loud: i === 4 ? 0.8 : 0,
      });
    });
    change(list);
    return list;
  };
}

const click = (selector: string): void => document.querySelector<HTMLElement>(selector)?.click();
const soon = (f: () => void): void => void setTimeout(f, 250);

function host(visit: Visit, {room}: Scene): void {
  room.info = {name: room.name, exists: true, may: 'join', role: 'host', waitingRoom: true, host: 'k3y'};
  if (room.me) room.me.role = 'host';
  room.emit('info', room.info);
  room.emit('people', room.people);
  visit.lastLeft.value = '';
}

export function crowd(call: Call): Record<string, Make> {
  const sharing = (list: FakePerson[]): void => {
    const [, ann] = list;
    if (!ann) return;
    ann.media = SCREEN;
    ann.tracks = new Map([...ann.tracks, ['screen', screenTrack()]]);
  };
  const forget = (act: (visit: Visit, scene: Scene) => void) => (visit: Visit, scene: Scene) => {
    localStorage.removeItem('parley.conference');
    act(visit, scene);
  };
  const plain = forget(() => undefined);
  const open = (panel: 'people' | 'chat') => forget((visit) => visit.show(panel));
  return {
    'crowd-3': call(people(3), plain),
    'crowd-4': call(people(4), plain),
    'crowd-5': call(people(5), plain),
    'crowd-9': call(people(9), plain),
    'crowd-12': call(people(12), plain),
    'crowd-25': call(people(25), plain),
    'crowd-49': call(people(49), plain),
    'crowd-portrait': call(
      people(4, (list) => {
        const tall = cameraTrack('ann', 360, 640);
        for (const p of list.slice(1))
          Object.assign(p, {tracks: new Map([['camera', tall]]), media: {...SCREEN, screen: false}});
      }),
      plain,
    ),
    'crowd-screen': call(people(6, sharing), plain),
    'crowd-screen-25': call(people(25, sharing), plain),
    'crowd-speaker': call(
      people(7),
      forget((_, {room}) => {
        room.speakers = ['seat-3'];
        soon(() => click('#open-more'));
        setTimeout(() => click('[role="menuitemradio"]:last-of-type'), 400);
      }),
    ),
    'crowd-elsewhere': call(
      people(49),
      forget((_, {room}) => {
        room.speakers = ['seat-40'];
        room.emit('people', room.people);
      }),
    ),
    'crowd-trouble': call(
      people(6, ([, a, b, c, d, e]) => {
        Object.assign(a as FakePerson, {network: {level: 0, why: 'upload'}});
        Object.assign(b as FakePerson, {holds: 'bandwidth'});
        Object.assign(c as FakePerson, {path: {kind: 'lost'}});
        Object.assign(d as FakePerson, {path: {kind: 'lost'}});
        Object.assign(e as FakePerson, {quality: {level: 0, reason: 'their-network', sound: 3, paused: true}});
      }),
      plain,
    ),
    'crowd-signs': call(
      people(5, ([me, a, b]) => {
        Object.assign(a as FakePerson, {hand: 4});
        Object.assign(b as FakePerson, {hand: 2});
        Object.assign(me as FakePerson, {hand: 9});
      }),
      forget((_, {room}) => {
        const kinds = ['like', 'love', 'laugh', 'applause', 'celebrate'] as const;
        const show = (): void => {
          for (const [i, person] of room.people.entries()) room.emit('reaction', {person, kind: kinds[i] ?? 'like'});
        };
        setInterval(show, 900);
      }),
    ),
    'crowd-menu': call(
      people(5),
      forget(() => soon(() => click('#open-more'))),
    ),
    'crowd-menu-two': call(
      people(2),
      forget(() => {
        soon(() => click('#open-more'));
      }),
    ),
    'crowd-captions': call(
      people(5, () => localStorage.setItem('parley.conference', '{"captions":true}')),
      (visit, {room}) => {
        visit.conferring.value = true;
        const say = (from: string, seat: string, text: string, id: string): void =>
          room.heard.emit('message', {from, data: JSON.stringify({type: 'caption', seat, text, id, final: true})});
        setInterval(() => {
          say('seat-5', 'seat-2', 'The beds along the south wall are ready.', '1');
          say('seat-3', 'seat-3', 'Then we can plant on Saturday, if it does not rain.', '2');
        }, 450);
        setTimeout(() => localStorage.removeItem('parley.conference'), 2000);
      },
    ),
    'crowd-people': call(people(7), open('people')),
    'crowd-people-host': call(
      people(7, ([, a, b, c, d]) => {
        Object.assign(a as FakePerson, {hand: 4, network: {level: 0, why: 'upload'}});
        Object.assign(b as FakePerson, {role: 'listener', hand: 2, media: OFF});
        Object.assign(c as FakePerson, {role: 'host'});
        Object.assign(d as FakePerson, {role: 'listener', invited: true, media: OFF});
      }),
      forget((visit, scene) => {
        scene.room.people.push(new FakePerson('Mo Salah', 99, {state: 'waiting', note: 'the plumber, about the tap'}));
        host(visit, scene);
        visit.show('people');
        setTimeout(() => click('.person-more'), 400);
      }),
    ),
    'crowd-people-end': call(
      people(4),
      forget((visit, scene) => {
        host(visit, scene);
        visit.show('people');
        setTimeout(() => document.querySelector('.people')?.scrollTo(0, 9999), 500);
      }),
    ),
    'crowd-chat': call(people(5), open('chat')),
    'crowd-listener': call(
      people(4, ([me]) => Object.assign(me as FakePerson, {role: 'listener', media: OFF})),
      plain,
    ),
    'crowd-invited': call(
      people(4, ([me]) => Object.assign(me as FakePerson, {role: 'listener', invited: true, hand: 3, media: OFF})),
      plain,
    ),
    'crowd-no-hub': call(
      people(2, ([me]) => Object.assign(me as FakePerson, {hub: 'no', hubWhy: 'blocked'})),
      plain,
    ),
    'crowd-knock': call(
      people(5),
      forget((visit, scene) => {
        scene.room.people.push(new FakePerson('Mo Salah', 99, {state: 'waiting', note: 'the plumber, about the tap'}));
        host(visit, scene);
      }),
    ),
    'crowd-pinned': call(
      people(9),
      forget(() => setTimeout(() => click('.tile[data-person="seat-5"] .pin'), 400)),
    ),
  };
}
