/**
 * Finding controls by role and accessible name, as a selector.
 *
 * Chromium answers from its accessibility tree: the truth, and fast. Firefox walks the whole document for every question
 * of that kind, a second each time on a loaded machine; there the page is asked by the rules that matter here: the native
 * elements of a role, named by aria-label, by their label, or by what is in them. The names themselves are proved in
 * Chromium, by these selectors and by axe.
 */
import {Puppeteer} from 'puppeteer-core';

Puppeteer.registerCustomQueryHandler('named', {
  queryAll: (root, selector) => {
    /** @type {Record<string, string>} */
    const native = {
      button: 'button',
      textbox: 'input,textarea',
      combobox: 'select',
      complementary: 'aside',
    };
    const [role = '', name = ''] = selector.split('|');
    const css = `[role="${role}"]${native[role] ? `,${native[role]}` : ''}`;
    return [.../** @type {Element} */ (root).querySelectorAll(css)].filter((element) => {
      if (name === '') return true;
      const {labels} = /** @type {HTMLInputElement} */ (element); // undefined on what cannot have one
      const label = element.getAttribute('aria-label') ?? labels?.[0]?.textContent ?? element.textContent ?? '';
      return label.trim() === name;
    });
  },
});

/**
 * The selector of a control.
 *
 * @param {boolean} tree whether the browser's accessibility tree can be asked
 * @param {string} role
 * @param {string} [name] any name when absent
 */
export function named(tree, role, name = '') {
  if (!tree) return `::-p-named(${role}|${name})`;
  return name === '' ? `::-p-aria([role="${role}"])` : `::-p-aria([name="${name}"][role="${role}"])`;
}
