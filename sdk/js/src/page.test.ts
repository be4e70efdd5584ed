import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {Page} from './page.js';

/** As much of a browser as a page listens to. */
function browser(connection: Record<string, unknown>) {
  const root = new EventTarget();
  const link = Object.assign(new EventTarget(), connection);
  vi.stubGlobal('addEventListener', root.addEventListener.bind(root));
  vi.stubGlobal('removeEventListener', root.removeEventListener.bind(root));
  vi.stubGlobal('navigator', {connection: link});
  const page = new Page();
  const log: string[] = [];
  page.on('network', (other) => log.push(other ? 'another network' : 'network'));
  page.on('drift', () => log.push('drift'));
  const change = (to: Record<string, unknown>) => {
    Object.assign(link, to);
    link.dispatchEvent(new Event('change'));
  };
  return {page, log, change};
}

beforeEach(() => void vi.stubGlobal('document', undefined));
afterEach(() => void vi.unstubAllGlobals());

test('a new estimate of the speed is not another network', () => {
  const {page, log, change} = browser({type: 'wifi', effectiveType: '4g', rtt: 50});
  change({rtt: 75});
  change({rtt: 100, downlink: 3});
  change({type: 'cellular'});
  change({rtt: 200});
  expect(log).toEqual(['drift', 'drift', 'another network', 'drift']);
  page.close();
  change({type: 'wifi'});
  expect(log).toHaveLength(4);
});

test('desktops do not tell the kind', () => {
  const {log, change} = browser({effectiveType: '4g'});
  change({});
  change({effectiveType: '2g'});
  expect(log).toEqual(['drift', 'drift']);
});
