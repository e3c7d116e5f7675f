// Files that were dropped or picked, with their paths; folders are walked.

/** `{file, path}` of an `<input type="file">`, with `webkitdirectory` or without. */
export const pickedFiles = (input) => Array.from(input.files, (file) => ({ file, path: file.webkitRelativePath || file.name }));

/** `{file, path}` of everything in a drop. What cannot be read is left out. */
export async function droppedFiles(transfer) {
  // The list is empty once the event is over: entries are taken before anything is waited for.
  const entries = Array.from(transfer.items, (item) => (item.kind === 'file' ? item.webkitGetAsEntry?.() : null)).filter(Boolean);
  if (entries.length === 0) return Array.from(transfer.files, (file) => ({ file, path: file.name }));
  const found = await Promise.all(entries.map(walk));
  return found.flat();
}

async function walk(entry) {
  try {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      return [{ file, path: entry.fullPath.replace(/^\//, '') }];
    }
    const found = [];
    for (const child of await children(entry.createReader())) found.push(...(await walk(child)));
    return found;
  } catch {
    return [];
  }
}

/** A reader gives a hundred at a time, and none at the end. */
async function children(reader) {
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
