/** Three and more people in the lab: what each of them gets through the hub, by the browsers' own account. */
import {Person} from '../browser/person.mjs';
import {readTrunk} from '../browser/trunk.mjs';
import {until} from '../browser/until.mjs';
import {named} from './house.mjs';

/** Three browsers on two processors take their time. */
export const timeout = 90_000;

/** A small window: everything in it is drawn without a graphics processor. */
const size = {width: 640, height: 480};

/** How much more has to come of each stream: pictures, and sound that is not silence. */
const [morePictures, moreEnergy] = [15, 1e-6];

/**
 * Opens the page of a room at a home, with a small picture.
 *
 * @param {import('./internet.mjs').Internet} internet
 * @param {import('./internet.mjs').Home} home
 * @param {string} link as printed
 * @param {string} name
 */
export async function arrive(internet, home, link, name) {
  return Person.arrive(await internet.chromium(home, 'small'), named(link), {name, size});
}

/**
 * The link with the hub, once there is one.
 *
 * @param {Person} person
 */
export function trunk(person) {
  return until(`${person.name} to have a link with the hub`, () => readTrunk(person.page), {
    timeout,
    detail: () => person.look(),
  });
}

/**
 * Waits until more of the sound and of the pictures of so many others has come through the hub than had when asked.
 *
 * @param {Person} person
 * @param {number} others
 */
export async function enjoys(person, others) {
  /** @type {Map<string, number>} */
  const before = new Map();
  const count = async () => {
    const received = (await readTrunk(person.page))?.received ?? [];
    const grown = received.filter(({mid, kind, frames, energy}) => {
      const value = kind === 'video' ? frames : energy;
      const first = before.get(mid) ?? value;
      before.set(mid, Math.min(first, value)); // less than before: another link
      return value >= Math.min(first, value) + (kind === 'video' ? morePictures : moreEnergy);
    });
    const of = (/** @type {string} */ wanted) => grown.filter(({kind}) => kind === wanted).length;
    return {pictures: of('video'), sounds: of('audio')};
  };
  await count();
  await until(
    `${person.name} to hear and see ${others} through the hub`,
    async () => {
      const {pictures, sounds} = await count();
      return pictures >= others && sounds >= others;
    },
    {timeout, every: 200, detail: async () => ({...(await person.look()), trunk: await readTrunk(person.page)})},
  );
}

/**
 * Waits until everybody hears and sees everybody else through the hub, and reads so.
 *
 * @param {Person[]} people
 */
export async function enjoyAll(people) {
  await Promise.all(people.map((person) => enjoys(person, people.length - 1)));
  for (const person of people) await person.reads(/Through the server/);
}
