// Through which speaker the others are heard.

import { chosenDevice } from './devices.js';

/** Lets `video` (or every video of others on the page) sound through the speaker chosen; one that is gone leaves it at the default. */
export function speakThrough(id, videos = document.querySelectorAll('video:not([muted])')) {
  for (const video of videos) video.setSinkId?.(id).catch(() => {});
}

/** For a video that is new on the page. */
export function speakAsChosen(video) {
  const id = chosenDevice('speaker');
  if (id) speakThrough(id, [video]);
}
