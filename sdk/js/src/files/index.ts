/**
 * Files from one browser to the other, past the server: {@link openFiles} for the transfers of a room. An entry of its
 * own, so that a page loads it when somebody is there to send to.
 */
export * from './api.js';
export {memoryLimit} from './disk.js';
export {type FilesRoom, openFiles} from './files.js';
export {baseName, plainName} from './path.js';
export {chosen, dropped} from './sendable.js';
