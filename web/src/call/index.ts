/** The screens behind the door: one file for the browser, fetched while the person is still in front of it. */

import './style/tile.css';
import './style/invite.css';
import './style/stage.css';
import './style/bar.css';
import './style/panel.css';
import './style/notes.css';

export {Goodbye, Waiting} from './between';
export {Call} from './call';
export {speak} from './words/words';
