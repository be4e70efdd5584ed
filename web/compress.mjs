// Writes beside each file of dist what browsers get of it over the wire: its Brotli form, a tenth smaller than gzip's, which
// the server makes by itself for those who do not read it. It takes a second here and would take one at each start there.
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {brotliCompressSync, constants} from 'node:zlib';

const dist = new URL('./dist/', import.meta.url);
const params = {[constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY};
for (const name of ['index.html', ...readdirSync(new URL('assets/', dist)).map((asset) => `assets/${asset}`)]) {
  if (!/\.(?:js|css|html|svg|json|wasm)$/.test(name)) continue;
  const body = readFileSync(new URL(name, dist));
  const small = brotliCompressSync(body, {params: {...params, [constants.BROTLI_PARAM_SIZE_HINT]: body.length}});
  if (small.length < body.length * 0.9) writeFileSync(new URL(`${name}.br`, dist), small);
}
