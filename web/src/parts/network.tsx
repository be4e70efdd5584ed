import type {Network} from '@parley-rtc/sdk';
import {useWatch} from '../hooks';
import {networkLine} from '../logic/network-words';
import {words} from '../words/words';
import {Icon, type IconName} from './icon';

const ICONS: Record<'good' | 'slow' | 'bad', IconName> = {good: 'direct', slow: 'relay', bad: 'warn'};

/** What the network lets through, in one line, with the reason to act when there is one. */
export function NetworkLine({network}: {network: Network}) {
  useWatch(network, 'change');
  const w = words();
  const {tone, title, fix} = networkLine(network.verdict, w, /^(localh|127\.)/.test(location.host));
  return (
    <div class="help network" data-tone={tone}>
      {tone === 'busy' ? <i class="pulse" /> : <Icon name={ICONS[tone]} />}
      <div>
        <b>{title}</b>
        {fix && <p>{fix}</p>}
      </div>
      {tone === 'bad' && (
        <button type="button" class="btn small" onClick={() => network.check()}>
          {w.network.again}
        </button>
      )}
    </div>
  );
}
