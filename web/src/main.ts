import './style/tokens.css';
import './style/base.css';
import './style/landing.css';
import './style/door.css';
import './style/tool.css';
import './style/table.css';
import {chooseLanguage, loadLanguage} from './words/words';

const tag = chooseLanguage(navigator.languages);
document.documentElement.lang = tag;
// Side by side: the language is small and the app, which the page preloads, is not.
const [{start}] = await Promise.all([import('./start'), loadLanguage(tag)]);
start();
