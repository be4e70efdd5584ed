import type {SourceStatus} from './api.js';

/** Says why the browser gave no device. `permission` is what it says about the permission afterwards, where it does. */
export function refusal(error: unknown, permission: PermissionState | null, secure: boolean): SourceStatus {
  if (!secure) return 'insecure';
  const {name = '', message = ''} = (error ?? {}) as Partial<Error>;
  switch (name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
      // A closed question leaves the permission open; a browser or system that always refuses does not say "dismissed".
      if (/dismissed/i.test(message)) return 'dismissed';
      return permission === 'prompt' && !/system|policy/i.test(message) ? 'dismissed' : 'denied';
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}

/** Whether the page may ask for devices at all. */
export function canCapture(): boolean {
  return globalThis.isSecureContext !== false && !!navigator.mediaDevices?.getUserMedia;
}

/** What the browser says about a permission; null where it does not say. */
export async function permissionFor(source: 'microphone' | 'camera'): Promise<PermissionState | null> {
  try {
    return (await navigator.permissions.query({name: source as PermissionName})).state;
  } catch {
    return null;
  }
}

/** A device by id: the only one that will do, or the one to begin with. */
export interface Choice {
  id: string | null;
  exact: boolean;
}

export function microphoneConstraints({id, exact}: Choice): MediaTrackConstraints {
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    ...(id && {deviceId: exact ? {exact: id} : {ideal: id}}),
  };
}

export function cameraConstraints({id, exact}: Choice): MediaTrackConstraints {
  return {
    width: {ideal: 1280},
    height: {ideal: 720},
    frameRate: {ideal: 30, max: 30},
    ...(id ? {deviceId: exact ? {exact: id} : {ideal: id}} : {facingMode: 'user'}),
  };
}

/** Stops whatever a stream holds, so that no light stays on. */
export function discard(...tracks: (MediaStreamTrack | null | undefined)[]): void {
  for (const track of tracks) {
    if (!track) continue;
    track.onended = track.onmute = track.onunmute = null;
    track.stop();
  }
}
