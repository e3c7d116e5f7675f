// One temporary folder for each test process, named `ph-PID` like its namespaces, and removed like them.
// `TMPDIR` points to it, so that browser profiles are in it too.

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const PREFIX = 'ph';

const outer = tmpdir();
const folder = join(outer, `${PREFIX}-${process.pid}`);

for (const name of readdirSync(outer)) if (isLeftover(name)) remove(join(outer, name));
mkdirSync(folder, { recursive: true });
process.env.TMPDIR = folder;
process.once('exit', () => remove(folder));

/** A new folder inside. */
export function temporary(name) {
  return mkdtempSync(join(folder, `${name}-`));
}

/** Whether something was named by a test process that does not live any more. */
export function isLeftover(name) {
  const owner = new RegExp(`^${PREFIX}-(\\d+)(-|$)`).exec(name)?.[1];
  return owner !== undefined && !isAlive(Number(owner));
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** A browser that was just killed may still be writing. */
function remove(path) {
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
