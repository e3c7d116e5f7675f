// A picture for pages without a camera: the time of day, drawn.

const WIDTH = 640;
const HEIGHT = 360;
const PER_SECOND = 10;

/** A stream with one track of video; it ends when its track is stopped. */
export function drawnStream() {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const pen = canvas.getContext('2d');
  const stream = canvas.captureStream(PER_SECOND);
  const [track] = stream.getVideoTracks();
  const timer = setInterval(() => {
    if (track.readyState === 'ended') clearInterval(timer);
    else draw(pen);
  }, 1000 / PER_SECOND);
  draw(pen);
  return stream;
}

function draw(pen) {
  pen.fillStyle = '#134238';
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  pen.fillStyle = '#ecf1ee';
  pen.font = '600 84px system-ui, sans-serif';
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.fillText(new Date().toLocaleTimeString(), WIDTH / 2, HEIGHT / 2);
}
