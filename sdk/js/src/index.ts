/**
 * Parley's JavaScript SDK: {@link openRoom} for the people, {@link openMedia} for the devices, {@link checkNetwork} for
 * what the network lets through. Everything else follows from these; see api.ts.
 */
export * from './api.js';
export type {ChannelPort, Control, ControlMessage, Delivery} from './channels.js';
export {makeKey} from './e2ee/key.js';
export type {Files, FilesError, FilesEvents, Sendable, Transfer, TransferFile, TransferState} from './files/api.js';
export {type MediaOptions, openMedia} from './media.js';
export {checkNetwork} from './network.js';
export {openRoom} from './room.js';
export type {ICEServers} from './wire.gen.js';
