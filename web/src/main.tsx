import './style/tokens.css';
import './style/base.css';
import './style/door.css';
import './style/tool.css';
import './style/table.css';
import {openMedia, openRoom} from '@parley-rtc/sdk';
import {render} from 'preact';
import {App} from './app';
import {deviceShelf, Memory} from './logic/memory';
import {tabShelf} from './logic/stay';
import {chooseLanguage, loadLanguage} from './words/words';

/** Draws the app in the person's language. Not at the top level: a chunk that imports this file would wait for itself. */
async function start(): Promise<void> {
  const tag = chooseLanguage(navigator.languages);
  document.documentElement.lang = tag;
  await loadLanguage(tag);
  const root = document.getElementById('app');
  if (root === null) throw new Error('web: no #app in the page');
  const makers = {openRoom, openMedia: () => openMedia()};
  render(<App memory={new Memory(deviceShelf())} tab={tabShelf()} makers={makers} />, root);
}

void start();
