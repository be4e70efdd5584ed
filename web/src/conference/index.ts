/** Three and more: fetched when somebody third comes, or when something of it is used in a call of two. */

import './style.css';

export {flipHand} from './acts';
export {Assembly} from './assembly';
export {Effects, keepEffects} from './effects';
export {Extras} from './extras';
export {Glyph} from './icon';
export {Menu} from './menu';
export {ConferenceNotices} from './notices';
export {People} from './people';
export {StageParts} from './stage';
export {conferenceWords} from './words';
