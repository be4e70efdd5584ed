/** The page as a person uses it: what can be pressed, written and read, by accessible name and role only. */
import {named} from './named.mjs';
import {until} from './until.mjs';

export class Controls {
  /**
   * @param {import('puppeteer-core').Page} page
   * @param {string} name whose hands these are, for failures
   * @param {'chromium' | 'firefox'} browser
   */
  constructor(page, name, browser) {
    this.page = page;
    this.name = name;
    this.browser = browser;
    this.at = 0;
  }

  /**
   * @param {string} name accessible name; any when empty
   * @param {string} role
   */
  selector(name, role) {
    return named(this.browser === 'chromium', role, name);
  }

  /** Moves the pointer a little: the controls of a call hide when nothing moves. */
  async stir() {
    this.at = (this.at + 7) % 40;
    await this.page.mouse.move(100 + this.at, 100 + this.at);
  }

  /**
   * Presses a control once it can be pressed.
   *
   * @param {string} name accessible name
   * @param {string} [role]
   */
  async press(name, role = 'button') {
    await this.stir();
    try {
      await this.page.locator(this.selector(name, role)).click();
    } catch (error) {
      throw new Error(`${this.name} cannot press the ${role} ${name}: ${await this.text()}`, {cause: error});
    }
  }

  /**
   * Finds a control whose name goes on after the words that a person looks for, with a line of explanation.
   *
   * @param {string} words
   * @param {string} role
   */
  async #beginning(words, role) {
    return until(`${this.name} to find the ${role} ${words}`, async () => {
      for (const handle of await this.page.$$(this.selector('', role))) {
        if (await handle.evaluate((element, text) => element.textContent?.startsWith(text), words)) return handle;
      }
      return null;
    });
  }

  /**
   * Presses a control whose name begins with some words.
   *
   * @param {string} words
   * @param {string} [role]
   */
  async pick(words, role = 'button') {
    const handle = await this.#beginning(words, role);
    await handle.click();
  }

  /**
   * Fills a field.
   *
   * @param {string} name accessible name
   * @param {string} text
   */
  async write(name, text) {
    await this.page.locator(this.selector(name, 'textbox')).fill(text);
  }

  /**
   * Whether a control is there at all.
   *
   * @param {string} name
   * @param {string} [role]
   */
  async has(name, role = 'button') {
    const handle = await this.page.$(this.selector(name, role));
    await handle?.dispose();
    return handle !== null;
  }

  /**
   * An attribute of a control, such as `aria-pressed`; null without the control or the attribute.
   *
   * @param {string} name
   * @param {string} attribute
   * @param {string} [role]
   */
  async state(name, attribute, role = 'button') {
    const handle = await this.page.$(this.selector(name, role));
    if (!handle) return null;
    try {
      return await handle.evaluate((element, attr) => element.getAttribute(attr), attribute);
    } finally {
      await handle.dispose();
    }
  }

  /**
   * Waits until a toggle is on or off.
   *
   * @param {string} name
   * @param {boolean} on
   */
  async shows(name, on) {
    await until(
      `${this.name}: ${name} ${on ? 'on' : 'off'}`,
      async () => (await this.state(name, 'aria-pressed')) === String(on),
    );
  }

  /**
   * Turns a switch to where it is not, and waits until it shows it.
   *
   * @param {string} name the beginning of its accessible name: a sentence of explanation follows
   */
  async flip(name) {
    const checked = async () => {
      const handle = await this.#beginning(name, 'switch');
      return handle.evaluate((element) => element.getAttribute('aria-checked'));
    };
    const before = await checked();
    await this.pick(name, 'switch');
    await until(`${this.name}: ${name} to turn`, async () => (await checked()) !== before);
  }

  /**
   * Opens what a button opens.
   *
   * @param {string} name
   */
  async open(name) {
    if ((await this.state(name, 'aria-expanded')) === 'true') return;
    await this.press(name);
    await until(`${this.name}: ${name} open`, async () => (await this.state(name, 'aria-expanded')) === 'true');
  }

  /**
   * Closes the panel that is open, by the way that its size offers.
   *
   * @param {string} name
   */
  async shut(name) {
    if (await this.has('Close')) await this.press('Close');
    else await this.press(name);
    await until(`${this.name}: ${name} shut`, async () => (await this.state(name, 'aria-expanded')) === 'false');
  }

  /**
   * What a panel says.
   *
   * @param {string} name
   */
  async panel(name) {
    const handle = await this.page.$(this.selector(name, 'complementary'));
    if (!handle) return '';
    try {
      return await handle.evaluate((element) => element.textContent ?? '');
    } finally {
      await handle.dispose();
    }
  }

  /** Everything that can be read on the page now, as one line: what is not rendered is not read. */
  text() {
    return this.page.evaluate(() => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      let text = '';
      while (walker.nextNode()) {
        const node = walker.currentNode;
        if (node.parentElement?.checkVisibility({visibilityProperty: true})) text += ` ${node.nodeValue}`;
      }
      return text.replace(/\s+/g, ' ').trim();
    });
  }

  /**
   * Waits until the page says something.
   *
   * @param {RegExp} words
   * @param {number} [timeout]
   */
  async reads(words, timeout) {
    await until(`${this.name} to read ${words}`, async () => words.test(await this.text()), {
      timeout,
      detail: () => this.text(),
    });
  }

  /**
   * Waits until the page no longer says something.
   *
   * @param {RegExp} words
   * @param {number} [timeout]
   */
  async readsNot(words, timeout) {
    await until(`${this.name} no longer to read ${words}`, async () => !words.test(await this.text()), {timeout});
  }

  /** What is chosen in a list. @param {string} name */
  async chosen(name) {
    return this.#select(name, (select) => select.value);
  }

  /**
   * Chooses the last of a list; returns its value.
   *
   * @param {string} name
   */
  async chooseLast(name) {
    return this.#select(name, (select) => {
      select.selectedIndex = select.options.length - 1;
      select.dispatchEvent(new Event('change', {bubbles: true}));
      return select.value;
    });
  }

  /**
   * @param {string} name
   * @param {(select: HTMLSelectElement) => string} look
   */
  async #select(name, look) {
    const handle = await until(`${this.name}: list ${name}`, () => this.page.$(this.selector(name, 'combobox')));
    try {
      return await /** @type {import('puppeteer-core').ElementHandle<HTMLSelectElement>} */ (handle).evaluate(look);
    } finally {
      await handle.dispose();
    }
  }

  /** Takes the focus away from whatever has it. */
  async blur() {
    await this.page.evaluate(() => {
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    });
  }

  /** What has the keyboard's focus, and whether an eye can tell. */
  focus() {
    return this.page.evaluate(() => {
      const element = document.activeElement;
      if (!(element instanceof HTMLElement)) return {name: '', visible: false};
      const style = getComputedStyle(element);
      const ring = style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) > 0;
      return {
        name: element.getAttribute('aria-label') ?? element.textContent?.trim() ?? '',
        visible: element.matches(':focus-visible') && (ring || style.boxShadow !== 'none'),
      };
    });
  }

  /** Waits until nothing glides any more and the letters are there. */
  async still() {
    await this.page.evaluate(() => document.fonts.ready.then(() => undefined));
    await until(`${this.name}'s page to be still`, () =>
      this.page.evaluate(() =>
        document
          .getAnimations()
          .every(
            ({playState, effect}) => playState !== 'running' || effect?.getComputedTiming().iterations === Infinity,
          ),
      ),
    );
  }
}
