/** Who is where in a conference: the grid, or one on the stage and the others beside it. */

import type {Participant} from '@parley-rtc/sdk';
import type {Placed} from '../call/arrange';
import {type Box, pack, type Shape, stage} from './grid';

/** Names a picture: a seat and a source. */
export type Key = `${string} ${'camera' | 'screen'}`;

export const keyOf = ({person, source}: Pick<Placed, 'person' | 'source'>): Key => `${person.id} ${source}`;

export interface Wishes {
  /** All alike, or whoever has the floor on the stage. */
  view: 'grid' | 'speaker';
  /** The picture that the person keeps on the stage; empty when none. */
  pinned: string;
  page: number;
}

export interface Plan {
  placed: readonly Placed[];
  pages: number;
  page: number;
  /** Who has the floor, but on another page, and which. */
  elsewhere: {person: Participant; page: number} | null;
}

type Picture = Pick<Placed, 'person' | 'source'>;

/**
 * Places everybody. People keep the order of their seats, I come first, and screens come before cameras: nobody jumps
 * when somebody speaks. `floor` is the seat that has the floor.
 */
export function plan(people: readonly Participant[], floor: string, area: Box, shape: Shape, wishes: Wishes): Plan {
  const pictures = picturesOf(people);
  const main = mainOf(pictures, floor, wishes);
  if (main === null) return gridded(pictures, floor, area, shape, wishes.page);
  const whole = main.source === 'screen';
  const rest = pictures.filter((p) => p !== main);
  const staged = stage(rest.length, area, shape, wishes.page, whole);
  const order = whole && staged.page === 0 ? withSpeaker(rest, floor, staged.boxes.length) : rest;
  const from = staged.page * staged.perPage;
  const beside = order.slice(from, from + staged.boxes.length);
  return {
    placed: [cell(main, staged.big, true), ...beside.map((p, i) => cell(p, staged.boxes[i] as Box, false))],
    pages: staged.pages,
    page: staged.page,
    elsewhere: null,
  };
}

function gridded(all: readonly Picture[], floor: string, area: Box, shape: Shape, wanted: number): Plan {
  const {boxes, perPage, pages, page} = pack(all.length, area, shape, wanted);
  const shown = all.slice(page * perPage, page * perPage + boxes.length);
  const at = all.findIndex((p) => p.person.id === floor && p.source === 'camera');
  const theirs = at < 0 ? page : Math.floor(at / perPage);
  return {
    placed: shown.map((p, i) => cell(p, boxes[i] as Box, false)),
    pages,
    page,
    elsewhere: theirs === page ? null : {person: (all[at] as Picture).person, page: theirs},
  };
}

function picturesOf(people: readonly Participant[]): Picture[] {
  const seated = people.filter((p) => p.state !== 'waiting');
  const ordered = [...seated.filter((p) => p.isMe), ...seated.filter((p) => !p.isMe)];
  const of = (source: 'camera' | 'screen'): Picture[] =>
    ordered.filter((p) => source === 'camera' || p.media.screen).map((person) => ({person, source}));
  return [...of('screen'), ...of('camera')];
}

/** Who takes the stage: what is pinned, a screen of somebody else, whoever has the floor; null for nobody. */
function mainOf(pictures: readonly Picture[], floor: string, {view, pinned}: Wishes): Picture | null {
  const others = pictures.filter((p) => !p.person.isMe);
  return (
    pictures.find((p) => keyOf(p) === pinned) ??
    others.find((p) => p.source === 'screen') ??
    (view === 'speaker' ? (others.find((p) => p.person.id === floor) ?? others[0] ?? null) : null)
  );
}

/** Whoever speaks about a screen stands beside it: at its head, when they would be on another page. */
function withSpeaker(rest: readonly Picture[], floor: string, room: number): readonly Picture[] {
  const at = rest.findIndex((p) => p.person.id === floor && p.source === 'camera');
  if (at < room) return rest;
  const speaker = rest[at] as Picture;
  return [speaker, ...rest.filter((p) => p !== speaker)];
}

function cell({person, source}: Picture, box: Box, main: boolean): Placed {
  return {person, source, place: 'cell', index: 0, box, main};
}
