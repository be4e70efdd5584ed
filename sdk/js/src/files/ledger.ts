/** What a sender has to remember over a reload, in IndexedDB, which alone keeps file handles. */

import type {Record as Description} from './moving.js';

export interface Entry extends Description {
  /** One a file, where the browser has given any. */
  handles?: FileSystemFileHandle[];
}

const storeName = 'outgoing';

/** The transfers that were not through. Where the browser keeps nothing, it is always empty. */
export class Ledger {
  readonly #base: Promise<IDBDatabase | null> = open();

  async list(): Promise<Entry[]> {
    return (await this.#do('readonly', (store) => store.getAll())) ?? [];
  }

  async put(entry: Entry): Promise<void> {
    await this.#do('readwrite', (store) => store.put(entry));
  }

  async remove(id: string): Promise<void> {
    await this.#do('readwrite', (store) => store.delete(id));
  }

  async #do<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | null> {
    const base = await this.#base;
    if (!base) return null;
    return new Promise((resolve) => {
      try {
        const request = act(base.transaction(storeName, mode).objectStore(storeName));
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => resolve(null);
      } catch {
        resolve(null); // what cannot be cloned, or a base that was deleted meanwhile: nothing is remembered
      }
    });
  }
}

function open(): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open('parley-files', 1);
      request.onupgradeneeded = () => request.result.createObjectStore(storeName, {keyPath: 'id'});
      request.onsuccess = () => resolve(request.result);
      request.onerror = request.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}
