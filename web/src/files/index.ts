/** Files in a call: fetched once somebody is in the room, with what is said about them. */

import './style.css';

export {TransferCard} from './card';
export {Desk} from './desk';
export {DropTarget} from './drop';
export {FileNotices} from './notice';
export {FilesPanel} from './panel';
