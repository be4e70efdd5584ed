import {defineConfig} from 'vite';

/** The page comes from here, signalling from the Parley server behind: to the browser both are one address. */
const proxy = {
  '/ws': {
    target: process.env.PARLEY_URL ?? 'http://localhost:8443',
    ws: true,
    changeOrigin: true,
    rewriteWsOrigin: true,
  },
};

export default defineConfig({server: {proxy}, preview: {proxy}, build: {target: 'es2022'}});
