// The file drop: whoever comes with a `peer_id` receives, everybody else sends.

import { fill, offerLanguages, words } from './strings.js';
import { readParameters } from './parameters.js';
import { showReceiver } from './receiver-page.js';
import { showSender } from './sender-page.js';

const byId = (id) => document.getElementById(id);
const sender = new URLSearchParams(location.search).get('peer_id');
const parameters = readParameters(location.search);

fill(document);
offerLanguages(byId('language'));
const title = sender === null ? words.drop.title : words.drop.titleReceiver;
byId('title').textContent = title;
document.title = `${title} · ${words.product}`;

if (typeof RTCPeerConnection === 'undefined') {
  byId('no-webrtc').hidden = false;
} else if (sender === null) {
  byId('sender').hidden = false;
  showSender(parameters);
} else {
  byId('receiver').hidden = false;
  showReceiver(sender, parameters);
}
