import {openMedia, openRoom} from '@parley-rtc/sdk';
import {render} from 'preact';
import {App} from './app';
import {deviceShelf, Memory} from './logic/memory';

/** Draws the app on the real SDK. */
export function start(): void {
  const root = document.getElementById('app');
  if (root === null) throw new Error('web: no #app in the page');
  render(<App memory={new Memory(deviceShelf())} makers={{openRoom, openMedia: () => openMedia()}} />, root);
}
