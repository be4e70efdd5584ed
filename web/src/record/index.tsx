/** The call record: a page of its own, fetched when somebody opens one. */
import './style/record.css';
import './style/timeline.css';

export {Record} from './record';
export {speak} from './words/words';
