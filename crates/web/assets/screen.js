// The screen, a window or a tab as a picture to send.

export const canShareScreen = () => typeof navigator.mediaDevices?.getDisplayMedia === 'function';

/** The track, or null when the user chose nothing. Letters matter more than motion. */
export async function captureScreen() {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 30 } }, audio: false });
    const [track] = stream.getVideoTracks();
    track.contentHint = 'detail';
    return track;
  } catch (error) {
    if (error.name === 'NotAllowedError') return null;
    throw error;
  }
}
