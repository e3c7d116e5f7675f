// Microphone and camera: are they there, may the page use them, and does anything come out of them.

import { hindrance, problemOf } from './device-problem.js';
import { pause } from './patience.js';

const LISTEN = 2000;
const WATCH = 3000;
const STEP = 100;
const [WIDTH, HEIGHT] = [64, 36];
const BLACK = 8;

export function checkMicrophone() {
  return check('audio', async (track) => {
    const facts = [['device', track.label]];
    const heard = await listen(track);
    return { level: heard === 'microphoneGood' ? 'good' : 'fair', advice: heard, facts };
  });
}

export function checkCamera() {
  return check('video', async (track) => {
    const { width, height } = track.getSettings();
    const facts = [['device', track.label]];
    const seen = await look(track);
    if (seen === 'moving') return { level: 'good', advice: 'cameraGood', values: { width, height }, facts };
    return { level: 'fair', advice: seen === 'black' ? 'cameraBlack' : 'cameraFrozen', facts };
  });
}

async function check(kind, judge) {
  const problem = hindrance();
  if (problem) return { level: 'bad', problem };
  let track = null;
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ [kind]: true });
    [track] = stream.getTracks();
    return await judge(track);
  } catch (error) {
    const found = problemOf(error, [kind]);
    return { level: /Missing$/.test(found) ? 'fair' : 'bad', problem: found };
  } finally {
    track?.stop();
  }
}

/** A microphone that works is never silent to the last digit. Firefox can listen to none where there is nothing to play sound with. */
async function listen(track) {
  const context = new AudioContext();
  try {
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    for (let waited = 0; waited < LISTEN; waited += STEP) {
      await pause(STEP);
      analyser.getFloatTimeDomainData(samples);
      if (samples.some((sample) => Math.abs(sample) > 0.0005)) return 'microphoneGood';
    }
    return context.currentTime > 0 ? 'microphoneSilent' : 'microphoneUnheard';
  } finally {
    context.close();
  }
}

/** `moving`, `frozen` or `black`. */
async function look(track) {
  const video = document.createElement('video');
  Object.assign(video, { muted: true, playsInline: true, srcObject: new MediaStream([track]) });
  await video.play();
  const pen = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT }).getContext('2d', { willReadFrequently: true });
  let first = null;
  let bright = false;
  for (let waited = 0; waited < WATCH; waited += STEP) {
    pen.drawImage(video, 0, 0, WIDTH, HEIGHT);
    const { data } = pen.getImageData(0, 0, WIDTH, HEIGHT);
    bright ||= data.some((value, at) => at % 4 < 3 && value > BLACK);
    first ??= data;
    if (bright && data.some((value, at) => Math.abs(value - first[at]) > BLACK)) return 'moving';
    await pause(STEP);
  }
  return bright ? 'frozen' : 'black';
}
