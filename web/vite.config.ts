import {defineConfig} from 'vite';

/** What is not needed in front of the door, or not by everybody, comes in files of its own. */
const LATER =
  /\/web\/src\/(call|conference|files|quality|record|words\/de|(screens|style|logic)\/landing)|\/sdk\/js\/src\/((files|hub|e2ee)\/|(host|ear|transport|observer|report|reach|tone|guard|failover|inventory|upkeep|heart|carry|recovery|pair|streams|farewell|bulk|link|negotiation|path|ways|prepared|frame|way)\.|quality|adaptation|stats)|\/uqr\//;

export default defineConfig({
  oxc: {jsx: {runtime: 'automatic', importSource: 'preact'}},
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
    rolldownOptions: {
      output: {
        // One file for all that is needed at once: every further one costs a round of headers.
        codeSplitting: {
          groups: [
            {name: 'app', test: (id: string) => !LATER.test(id)},
            // What every call needs: it has to be there before the network is not.
            {name: 'pair', test: /\/sdk\/js\/src\/(pair|streams|farewell)\./},
            {name: 'call-de', test: /\/src\/call\/words\/de/},
            {name: 'quality-de', test: /\/src\/quality\/words\/de/},
            {name: 'record-de', test: /\/src\/record\/words\/de/},
          ],
        },
      },
    },
  },
});
