// The client's types: TypeScript reads them, and an application written with them, and finds the mistakes of another (no browser).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const CLIENT = fileURLToPath(new URL('../../crates/web/client/client', import.meta.url));
const START = `import { connect, Peers, RoomError } from '${CLIENT}.js';\nconst room = connect({ room: 'kitchen', storage: sessionStorage });\n`;

/** What TypeScript complains about, at its strictest. */
function complaints(text) {
  const options = {
    strict: true, noEmit: true, exactOptionalPropertyTypes: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'], types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === 'app.ts' || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === 'app.ts' ? ts.createSourceFile(name, START + text, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest);
  const program = ts.createProgram(['app.ts'], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

test('an application that uses all of it is right', () => {
  assert.deepEqual(complaints(`
    room.on('message', ({ from, data }) => console.log(room.members.get(from)?.name, data));
    room.on('member-left', ({ member, reason }) => console.log(member, reason === 'kicked'));
    room.on('countdown', ({ seconds }) => seconds.toFixed());
    room.on('closed', ({ reason, error }) => console.log(reason, error?.fault === 'room'));
    await room.joined.catch((error) => error instanceof RoomError && error.code);
    await room.send({ hello: ['all', 1, null] });
    await room.kick('somebody', 'noise');
    const peers = new Peers(room, { channels: { chat: { ordered: false } }, configuration: { iceTransportPolicy: 'relay' } });
    peers.on('track', ({ member, track }) => console.log(member, track.kind));
    peers.on('channel', ({ channel }) => channel.send('hello'));
    const open: number = peers.broadcast('chat', 'hello');
    export { open };
  `), []);
});

for (const [what, text] of [
  ['an event that does not exist', `room.on('mesage', () => {});`],
  ['data that JSON cannot carry', 'room.send(() => {});'],
  ['a room without a name', 'connect({});'],
  ['a passphrase that is a number', 'room.setPassphrase(4711);'],
]) {
  test(`${what} is a mistake`, () => assert.equal(complaints(text).length, 1));
}
