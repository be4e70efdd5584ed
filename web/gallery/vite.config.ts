import {fileURLToPath} from 'node:url';
import {defineConfig} from 'vite';

/** The gallery shows every screen and every trouble on fakes. It is for the eye and for axe; no build contains it. */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  oxc: {jsx: {runtime: 'automatic', importSource: 'preact'}},
});
