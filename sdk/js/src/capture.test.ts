import {expect, it} from 'vitest';
import {refusal} from './capture.js';
import {named} from './media.js';

const error = (name: string, message = '') => Object.assign(new Error(message), {name});

it.each<[string, unknown, PermissionState | null, boolean, string]>([
  ['Chromium: denied', error('NotAllowedError', 'Permission denied'), 'denied', true, 'denied'],
  ['Chromium: question closed', error('NotAllowedError', 'Permission dismissed'), 'prompt', true, 'dismissed'],
  ['Chromium: the system says no', error('NotAllowedError', 'Permission denied by system'), 'prompt', true, 'denied'],
  ['Firefox: not remembered', error('NotAllowedError', 'The request is not allowed'), 'prompt', true, 'dismissed'],
  ['no Permissions API', error('NotAllowedError', 'The request is not allowed'), null, true, 'denied'],
  ['no device', error('NotFoundError'), 'granted', true, 'missing'],
  ['chosen device gone', error('OverconstrainedError'), 'granted', true, 'missing'],
  ['another program', error('NotReadableError'), 'granted', true, 'busy'],
  ['Firefox: another program', error('AbortError'), 'granted', true, 'busy'],
  ['plain HTTP', null, null, false, 'insecure'],
  ['policy', error('SecurityError'), null, true, 'denied'],
  ['anything else', error('TypeError'), null, true, 'failed'],
  ['no error at all', undefined, null, true, 'failed'],
])('refusal: %s', (_, cause, permission, secure, status) => {
  expect(refusal(cause, permission, secure)).toBe(status);
});

it('names devices that hide their labels', () => {
  const device = (kind: string, deviceId: string, label = '') => ({kind, deviceId, label}) as MediaDeviceInfo;
  const found = [
    device('audioinput', 'default', 'Built-in'),
    device('audioinput', 'communications', 'Built-in'),
    device('videoinput', 'c'),
    device('audioinput', 'usb'),
  ];
  expect(named(found, 'audioinput', 'Microphone')).toEqual([
    {id: 'default', label: 'Built-in'},
    {id: 'usb', label: 'Microphone 2'},
  ]);
});
