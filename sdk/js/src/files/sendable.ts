/** Files as people hand them over: chosen, dropped, or pasted; alone or in folders. */

import type {Sendable} from './api.js';
import {maxFiles} from './message.js';

type WithHandle = DataTransferItem & {getAsFileSystemHandle?(): Promise<FileSystemHandle | null>};

/** The files of an `<input type="file">`, with the folders of one that takes folders. */
export function chosen(list: Iterable<File>): Sendable[] {
  return Array.from(list, (file) => ({file, ...(file.webkitRelativePath && {path: file.webkitRelativePath})}));
}

/**
 * The files of a drop or paste, folders with all that is in them. Call it within the event: the browser takes the items
 * back after it. Stops reading beyond what a transfer takes.
 */
export async function dropped(data: DataTransfer): Promise<Sendable[]> {
  const items = Array.from(data.items).filter(({kind}) => kind === 'file') as WithHandle[];
  const roots = items.map((item) => ({
    handle: item.getAsFileSystemHandle?.().catch(() => null) ?? Promise.resolve(null),
    entry: item.webkitGetAsEntry?.() ?? null,
    file: item.getAsFile(),
  }));
  const found: Sendable[] = [];
  for (const {handle, entry, file} of roots) {
    const known = await handle;
    if (known) await walkHandle(known, '', found);
    else if (entry) await walkEntry(entry, '', found);
    else if (file) found.push({file});
  }
  return found;
}

async function walkHandle(handle: FileSystemHandle, before: string, found: Sendable[]): Promise<void> {
  if (found.length > maxFiles) return;
  const path = before + handle.name;
  if (handle.kind === 'file') {
    const fileHandle = handle as FileSystemFileHandle;
    found.push({file: await fileHandle.getFile(), path, handle: fileHandle});
    return;
  }
  for await (const inner of (handle as unknown as {values(): AsyncIterable<FileSystemHandle>}).values()) {
    await walkHandle(inner, `${path}/`, found);
  }
}

async function walkEntry(entry: FileSystemEntry, before: string, found: Sendable[]): Promise<void> {
  if (found.length > maxFiles) return;
  const path = before + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({file, path});
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives a hundred entries at a time.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return;
    for (const inner of part) await walkEntry(inner, `${path}/`, found);
  }
}
