import {defineConfig, type HtmlTagDescriptor, type Plugin} from 'vite';

/**
 * Lets the page fetch the app at once, beside the few bytes that choose the language and would only then ask for it.
 */
function preloadApp(): Plugin {
  return {
    name: 'preload-app',
    transformIndexHtml: {
      order: 'post',
      handler(html, {bundle}) {
        const chunks = Object.values(bundle ?? {}).filter((part) => part.type === 'chunk');
        const app = chunks.find((chunk) => chunk.facadeModuleId?.endsWith('/src/start.tsx'));
        if (app === undefined) return [];
        const files = [app.fileName, ...app.imports].filter((file) => !html.includes(file));
        return files.map<HtmlTagDescriptor>((file) => ({
          tag: 'link',
          attrs: {rel: 'modulepreload', crossorigin: true, href: `/${file}`},
          injectTo: 'head',
        }));
      },
    },
  };
}

export default defineConfig({
  oxc: {jsx: {runtime: 'automatic', importSource: 'preact'}},
  plugins: [preloadApp()],
  build: {
    // The folder also holds a placeholder page that Go embeds when nothing was built: never empty it.
    emptyOutDir: false,
    target: 'es2022',
    // light-dark() and field-sizing stay as written.
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    // Everything stays a file of its own: the page's policy allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: {polyfill: false},
    reportCompressedSize: false,
  },
});
