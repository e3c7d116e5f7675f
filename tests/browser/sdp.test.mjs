// What the address of a page asks for, and what becomes of it in a session description: texts alone, no browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedConstraints, constraintsFor } from '../../crates/web/assets/constraints.js';
import { readParameters } from '../../crates/web/assets/parameters.js';
import { isIpv6, preferring, withOpus, withoutIpv6, withRates } from '../../crates/web/assets/sdp.js';

const SDP = [
  'v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0', 'c=IN IP4 0.0.0.0', 'b=AS:500', 'a=mid:0', 'a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1', 'a=rtpmap:0 PCMU/8000',
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97 98', 'c=IN IP4 0.0.0.0', 'a=mid:1', 'a=rtpmap:96 VP8/90000', 'a=rtpmap:97 rtx/90000', 'a=rtpmap:98 VP9/90000',
  'a=candidate:1 1 udp 2122 203.0.113.7 5000 typ host', 'a=candidate:2 1 udp 2122 2001:db8::7 5000 typ host',
].map((line) => `${line}\r\n`).join('');

test('an option of Opus replaces the one that was there and keeps the others', () => {
  const changed = withOpus(SDP, { useinbandfec: '0', stereo: '1' });
  assert.match(changed, /^a=fmtp:111 minptime=10;useinbandfec=0;stereo=1\r$/m);
  assert.equal(withOpus(SDP, {}), SDP);
  assert.equal(withOpus('v=0\r\n', { stereo: '1' }), 'v=0\r\n');
});

test('a description without options of Opus gets a line for them', () => {
  assert.match(withOpus(SDP.replace(/a=fmtp.*\r\n/, ''), { usedtx: '1' }), /opus\/48000\/2\r\na=fmtp:111 usedtx=1\r\n/);
});

test('a rate stands once, after the connection line of its own medium', () => {
  const changed = withRates(SDP, { audio: 24, video: 300 });
  assert.match(changed, /m=audio .*\r\nc=.*\r\nb=AS:24\r\na=mid:0/);
  assert.match(changed, /m=video .*\r\nc=.*\r\nb=AS:300\r\na=mid:1/);
  assert.equal(changed.match(/b=AS/g).length, 2);
  assert.equal(withRates(SDP, { audio: null, video: null }), SDP);
});

test('the preferred codec is first, and the order of the others stays', () => {
  assert.match(preferring(SDP, { video: 'vp9' }), /^m=video 9 UDP\/TLS\/RTP\/SAVPF 98 96 97\r$/m);
  assert.match(preferring(SDP, { audio: 'PCMU/8000' }), /^m=audio 9 UDP\/TLS\/RTP\/SAVPF 0 111\r$/m);
  assert.equal(preferring(SDP, { video: 'H266', audio: null }), SDP);
  assert.equal(preferring(SDP, { video: '.*' }), SDP, 'a name is no pattern');
});

test('candidates with an IPv6 address are told from others', () => {
  assert.ok(isIpv6('candidate:2 1 udp 2122 2001:db8::7 5000 typ host'));
  assert.ok(!isIpv6('candidate:1 1 udp 2122 203.0.113.7 5000 typ host'));
  assert.ok(!isIpv6('candidate:1 1 udp 2122 1c2d.local 5000 typ host'));
  assert.deepEqual(withoutIpv6(SDP).match(/a=candidate.*/g).map((line) => line[12]), ['1']);
});

test('AppRTC’s lists of constraints become those of today, and unknown ones nothing', () => {
  assert.deepEqual(askedConstraints('minWidth=960,maxFrameRate=15,optional:minHeight=720'), { width: { min: 960 }, frameRate: { max: 15 }, height: { ideal: 720 } });
  assert.deepEqual(askedConstraints('googEchoCancellation=false,mandatory:noiseSuppression=true,googTypingNoiseDetection=true,='), { echoCancellation: false, noiseSuppression: true });
  for (const nothing of [null, '', 'true', 'false', 'width=wide']) assert.deepEqual(askedConstraints(nothing), {}, nothing);
});

test('without a word in the address a large picture is a wish, with one it is a demand', () => {
  const video = (query) => constraintsFor('video', readParameters(query), null);
  assert.deepEqual(video(''), { width: { ideal: 1280 }, height: { ideal: 720 } });
  assert.deepEqual(video('?hd=true'), { width: { min: 1280 }, height: { min: 720 } });
  assert.deepEqual(video('?hd=false'), { width: { ideal: 640 }, height: { ideal: 480 } });
});
