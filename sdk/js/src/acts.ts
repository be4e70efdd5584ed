import type {Room} from './api.js';
import type {Host} from './host.js';
import {View} from './view.js';

type Acts = Pick<
  Room,
  | 'hand'
  | 'react'
  | 'speak'
  | 'lock'
  | 'waitingRoom'
  | 'keepHistory'
  | 'admit'
  | 'mute'
  | 'muteAll'
  | 'remove'
  | 'role'
  | 'invite'
  | 'setTopology'
>;

/** A room in which one can act. The code for it is fetched at the first act: nobody needs it in front of the door. */
export abstract class Actor extends View implements Acts {
  readonly hand: Acts['hand'] = async (...a) => (await this.host()).hand(...a);
  readonly react: Acts['react'] = async (...a) => (await this.host()).react(...a);
  readonly speak: Acts['speak'] = async (...a) => (await this.host()).speak(...a);
  readonly lock: Acts['lock'] = async (...a) => (await this.host()).lock(...a);
  readonly waitingRoom: Acts['waitingRoom'] = async (...a) => (await this.host()).waitingRoom(...a);
  readonly keepHistory: Acts['keepHistory'] = async (...a) => (await this.host()).keepHistory(...a);
  readonly admit: Acts['admit'] = async (...a) => (await this.host()).admit(...a);
  readonly mute: Acts['mute'] = async (...a) => (await this.host()).mute(...a);
  readonly muteAll: Acts['muteAll'] = async (...a) => (await this.host()).muteAll(...a);
  readonly remove: Acts['remove'] = async (...a) => (await this.host()).remove(...a);
  readonly role: Acts['role'] = async (...a) => (await this.host()).role(...a);
  readonly invite: Acts['invite'] = async (...a) => (await this.host()).invite(...a);
  readonly setTopology: Acts['setTopology'] = async (...a) => (await this.host()).setTopology(...a);

  /** What asks the server; the same one each time. */
  protected abstract host(): Promise<Host>;
}
