import {fileURLToPath} from 'node:url';
import {mergeConfig} from 'vite';
import app from '../vite.config';

/** The gallery shows every screen and every trouble on fakes. It is for the eye and for axe; no build contains it. */
export default mergeConfig(app, {root: fileURLToPath(new URL('..', import.meta.url))});
