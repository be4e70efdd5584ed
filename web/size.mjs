// Prints what a first visit loads, gzipped, and fails above the limit. A language that is a file of its own counts too.
import {readdirSync, readFileSync} from 'node:fs';
import {gzipSync} from 'node:zlib';

const LIMIT_KB = 45;
const dist = new URL('./dist/', import.meta.url);
const html = readFileSync(new URL('index.html', dist), 'utf8');
const first = [...new Set([...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map((m) => m[1]))];
const assets = readdirSync(new URL('assets/', dist))
  .filter((name) => !name.endsWith('.br'))
  .map((name) => `assets/${name}`);
const languages = assets.filter((name) => /\/[a-z]{2}-[^/]+\.js$/.test(name));

const kb = (name) => gzipSync(readFileSync(new URL(name, dist)), {level: 9}).length / 1000;
const say = (name, note) => console.log(`${kb(name).toFixed(1).padStart(6)} kB  ${name}${note}`);

for (const name of first) say(name, '');
for (const name of languages) say(name, '  (one language)');
for (const name of assets.filter((a) => !first.includes(a) && !languages.includes(a))) say(name, '  (later)');
const total = first.reduce((sum, name) => sum + kb(name), 0) + Math.max(0, ...languages.map(kb));
console.log(`${total.toFixed(1).padStart(6)} kB  first load, gzipped; the limit is ${LIMIT_KB} kB`);
if (first.length === 0 || total > LIMIT_KB) process.exit(1);
