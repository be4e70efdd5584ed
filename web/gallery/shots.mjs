// Takes a picture of every scene of the gallery in every size and theme, and lets axe look at each.
// Usage: node gallery/shots.mjs [--scene=PART] [--size=PART] [--theme=light|dark] [--lang=de] [--no-axe]
import {mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {fileURLToPath} from 'node:url';
import puppeteer from 'puppeteer-core';
import {build, preview} from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const option = (name, missing = '') =>
  process.argv.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3) ?? missing;
const sizes = {
  '1440x900': {width: 1440, height: 900},
  '1024x768': {width: 1024, height: 768},
  '390x844': {width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 2},
  '844x390': {width: 844, height: 390, isMobile: true, hasTouch: true, deviceScaleFactor: 2},
};
const out = `${here}shots/`;
mkdirSync(out, {recursive: true});

const built = mkdtempSync(`${tmpdir()}/parley-gallery-`);
const config = {
  configFile: `${here}vite.config.ts`,
  logLevel: 'error',
  build: {outDir: built, rollupOptions: {input: `${here}index.html`}},
};
await build(config);
const server = await preview({...config, preview: {port: 0}});
const address = `http://localhost:${server.httpServer.address().port}/gallery/`;
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--autoplay-policy=no-user-gesture-required'],
});

let faults = 0;
let looks = 0;
try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => {
    faults++;
    console.log(`page error: ${error}`);
  });
  await page.goto(address, {waitUntil: 'networkidle0'});
  const all = await page.$$eval('#scenes a', (links) => links.map((a) => a.textContent));
  const wanted = option('scene')
    .split(',')
    .filter((s) => s !== '');
  const chosen = all.filter(
    (s) => wanted.length === 0 || wanted.some((w) => (w.endsWith('!') ? `${s}!` === w : s.includes(w))),
  );
  for (const [size, viewport] of Object.entries(sizes)) {
    if (!size.includes(option('size'))) continue;
    await page.setViewport({deviceScaleFactor: 1, ...viewport});
    for (const theme of ['light', 'dark']) {
      if (!theme.includes(option('theme'))) continue;
      await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: theme}]);
      for (const scene of chosen) await look(page, scene, size, theme);
    }
  }
} finally {
  await browser.close();
  await server.close();
  rmSync(built, {recursive: true});
}
console.log(`${looks} looks, ${faults} faults`);
process.exit(faults === 0 && looks > 0 ? 0 : 1);

async function look(page, scene, size, theme) {
  await page.goto(`${address}?scene=${scene}&lang=${option('lang', 'en')}`, {waitUntil: 'load'});
  await page.waitForSelector('#app > *');
  // Scenes act once after they are drawn; the offline bar waits for a second on purpose.
  await new Promise((r) => setTimeout(r, scene.includes('offline') ? 1700 : scene.includes('idle') ? 1300 : 700));
  await page.screenshot({path: `${out}${scene}.${size}.${theme}.png`});
  looks++;
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) {
    faults++;
    console.log(`${scene} ${size}: ${wide} px wider than the window`);
  }
  if (process.argv.includes('--no-axe')) return;
  // The controls must not be in the middle of stepping back while axe looks.
  await page.mouse.move(200, 200 + (looks % 50));
  await new Promise((r) => setTimeout(r, 300));
  await page.evaluate(axe);
  const violations = await page.evaluate(() => window.axe.run(document).then((r) => r.violations));
  for (const v of violations) {
    faults++;
    console.log(`${scene} ${size} ${theme}: ${v.id}: ${v.help}`);
    for (const node of v.nodes.slice(0, 3))
      console.log(`    ${node.html.slice(0, 160)}\n    ${node.failureSummary?.split('\n')[1] ?? ''}`);
  }
}
