import type {LocalMedia, Room} from './api.js';
import type {Host} from './host.js';
import {View} from './view.js';

const names = [
  'hand',
  'react',
  'speak',
  'lock',
  'waitingRoom',
  'keepHistory',
  'admit',
  'mute',
  'muteAll',
  'remove',
  'role',
  'invite',
  'setTopology',
  'encrypt',
] as const;

type Acts = Pick<Room, (typeof names)[number]>;
type Asked = Record<(typeof names)[number], (...what: unknown[]) => Promise<void>>;

/** A room in which one can act. The code for it is fetched at the first act: nobody needs it in front of the door. */
export abstract class Actor extends View implements Acts {
  declare readonly hand: Acts['hand'];
  declare readonly react: Acts['react'];
  declare readonly speak: Acts['speak'];
  declare readonly lock: Acts['lock'];
  declare readonly waitingRoom: Acts['waitingRoom'];
  declare readonly keepHistory: Acts['keepHistory'];
  declare readonly admit: Acts['admit'];
  declare readonly mute: Acts['mute'];
  declare readonly muteAll: Acts['muteAll'];
  declare readonly remove: Acts['remove'];
  declare readonly role: Acts['role'];
  declare readonly invite: Acts['invite'];
  declare readonly setTopology: Acts['setTopology'];
  declare readonly encrypt: Acts['encrypt'];

  constructor(name: string, media: LocalMedia | null) {
    super(name, media);
    for (const act of names) {
      (this as unknown as Asked)[act] = async (...what) => ((await this.host()) as unknown as Asked)[act](...what);
    }
  }

  /** What asks the server; the same one each time. */
  protected abstract host(): Promise<Host>;
}
