/** Writing received files to where the person wants them. */

import type {FileInfo} from './message.js';
import {otherName, plainName} from './path.js';

/** Writes one file where the person said, over what they agreed to replace. */
export async function saveFile(handle: FileSystemFileHandle, blob: Blob): Promise<void> {
  await blob.stream().pipeTo(await handle.createWritable());
}

/** Writes files into a folder, with the folders of their paths. What is there already keeps its name and its content. */
export async function saveAll(
  folder: FileSystemDirectoryHandle,
  files: readonly FileInfo[],
  content: (file: number) => Blob | null,
): Promise<void> {
  const tops = new Map<string, Promise<string>>();
  for (const [i, {path}] of files.entries()) {
    const blob = content(i);
    if (!blob) continue;
    const parts = path.split('/').map(plainName);
    const name = parts.pop() ?? 'file';
    let place = folder;
    if (parts[0] !== undefined) {
      // Only the outermost folder gets another name: below it, everything is ours.
      const [top] = parts as [string];
      const own = tops.get(top) ?? freeName(folder, top);
      tops.set(top, own);
      for (const part of [await own, ...parts.slice(1)]) place = await place.getDirectoryHandle(part, {create: true});
    }
    await saveFile(await place.getFileHandle(await freeName(place, name), {create: true}), blob);
  }
}

/** The name, or the first variation of it that nothing in the folder has. */
async function freeName(folder: FileSystemDirectoryHandle, name: string): Promise<string> {
  for (let attempt = 2, tried = name; ; tried = otherName(name, attempt++)) {
    if (!(await taken(folder, tried))) return tried;
  }
}

async function taken(folder: FileSystemDirectoryHandle, name: string): Promise<boolean> {
  try {
    await folder.getFileHandle(name);
    return true;
  } catch (error) {
    return (error as DOMException).name !== 'NotFoundError';
  }
}
