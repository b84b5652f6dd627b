// The frame: before and after under one divider, zoom, and the strip of frames along the time.
import { frameAddress, nearFrameAddress, post } from './api.js';
import { byId, clock, count, element } from './elements.js';
import { inspection } from './sidecar.js';

const MOST_THUMBNAILS = 16;
const STRIP_HEIGHT = 46;
const QUICK_SECONDS = 8;
const SCRUB_SIDE = 1280;
const PAUSE_MILLISECONDS = 200;
const PAN = 60;
let box = null;
let centre = null;
let waiting = 0;

export function openViewer(path, facts) {
  byId('viewer').hidden = false;
  byId('scrub').step = 1 / (facts.frame_rate || 25);
  byId('scrub').value = 0;
  setLength(facts.duration);
  showFrame(path);
  showStrip(path, facts);
}

// Another length than was said when the video was opened.
export function changeLength(path, facts) {
  setLength(facts.duration);
  showStrip(path, facts);
}

const shownLength = (length) => Math.max((length ?? 0) - 0.001, 0);

function setLength(length) {
  const duration = shownLength(length);
  byId('scrub').max = duration || 1;
  byId('scrub').disabled = duration === 0;
}

// As many frames as fit side by side, in equal parts of the length.
function showStrip(path, { width, height, duration }) {
  const length = shownLength(duration);
  const fitting = Math.round(byId('strip').clientWidth / ((STRIP_HEIGHT * width) / height));
  const pictures = length ? Math.max(1, Math.min(MOST_THUMBNAILS, fitting)) : 1;
  byId('strip').replaceChildren(...Array.from({ length: pictures }, (_, i) =>
    element('img', { alt: '', src: nearFrameAddress(path, ((i + 0.5) * length) / pictures) })));
}

export function closeViewer() {
  clearTimeout(waiting);
  byId('viewer').hidden = true;
  for (const id of ['before', 'after']) byId(id).removeAttribute('src');
  byId('strip').replaceChildren();
}

export const shownTime = () => Number(byId('scrub').value);
export const isPreviewed = () => !byId('after').hidden;

export function showTime(at) {
  byId('timeline').style.setProperty('--at', at / Number(byId('scrub').max));
  byId('time').textContent = clock(at);
  byId('scrub').setAttribute('aria-valuetext', clock(at));
}

// The original frame of the time that is chosen: while the slider moves, a frame nearby.
export function showFrame(path) {
  box = centre = null;
  showTime(shownTime());
  byId('preview-facts').textContent = '';
  byId('preview-facts').classList.remove('failed');
  const at = shownTime();
  clearTimeout(waiting);
  if (byId('before').complete) showPictures({ before: nearFrameAddress(path, at, SCRUB_SIDE) });
  else showPictures({ before: byId('before').src });
  waiting = setTimeout(() => {
    if (!isPreviewed() && at === shownTime()) showPictures({ before: frameAddress(path, at, SCRUB_SIDE) });
  }, PAUSE_MILLISECONDS);
}

// Pictures instead of videos; without `after` there is nothing to divide.
export function showPictures({ before, after }) {
  byId('before').hidden = false;
  byId('before').src = before;
  byId('after').hidden = after === undefined;
  if (after !== undefined) byId('after').src = after;
  divide(after !== undefined);
}

export function divide(isDivided) {
  for (const id of ['divider-label', 'line', 'before-tag', 'after-tag']) byId(id).hidden = !isDivided;
  placeDivider();
}

export async function showPreview(path, settings) {
  const at = shownTime();
  // What is known of the whole video makes the exact frame as quick as one from shortly before.
  const isExact = byId('exact').checked || settings.sidecar !== undefined || inspection() !== null;
  const start = isExact ? 0 : Math.max(at - QUICK_SECONDS, 0);
  const asked = performance.now();
  const given = start > 0 ? { ...settings, start } : settings;
  const shown = await post('/api/preview', { path, at, settings: given });
  if (at !== shownTime()) return;
  box = shown.faces.length ? shown.faces[0].box : null;
  showPictures(shown);
  const from = start > 0 ? `as in a run from ${clock(start)}` : 'as in a run of the whole video';
  const drawn = shown.faces.length ? `, ${Math.round(100 * shown.drawn)} % drawn` : ', nothing to restore';
  byId('preview-facts').textContent = `Frame ${shown.index}: ${count(shown.faces.length, 'face')}${drawn}; ${from}; ` +
    `${((performance.now() - asked) / 1000).toFixed(1)} s`;
}

const LAYERS = ['before', 'after', 'original', 'result'];

// The divider and the enlargement of whatever is shown.
export function placeDivider() {
  const share = Number(byId('divider').value) / 100;
  const [width, height] = pictureSize();
  const shown = byId('stage').getBoundingClientRect();
  const scale = enlargement(width, shown.width);
  const view = [0, 1].map((i) => Math.max(0.5 / scale, Math.min(1 - 0.5 / scale, centre?.[i] ?? middle(i, width, height))));
  for (const id of LAYERS) {
    const [x, y] = view.map((at) => 50 - 100 * at * scale);
    byId(id).style.transform = scale > 1 ? `translate(${x}%, ${y}%) scale(${scale})` : '';
  }
  // The divider is one of the window, whatever part of the picture it shows.
  const at = 100 * (view[0] + (share - 0.5) / scale);
  for (const id of ['after', 'result']) byId(id).style.clipPath = `inset(0 0 0 ${scale > 1 ? at : 100 * share}%)`;
  byId('line').style.left = `${100 * share}%`;
}

function pictureSize() {
  const video = byId('result');
  if (!video.hidden) return [video.videoWidth, video.videoHeight];
  return [byId('before').naturalWidth, byId('before').naturalHeight];
}

// How many times as large as it fits: full size is a pixel of the picture for one of the screen.
function enlargement(width, shown) {
  const chosen = byId('zoom').value;
  if (!width || !shown || chosen === 'fit' || (chosen === 'face' && box === null)) return 1;
  if (chosen === 'full') return Math.max(1, width / devicePixelRatio / shown);
  return Math.max(1, Math.min(width / (2 * (box[2] - box[0])), 8));
}

// The middle of the first face, or of the picture, as a share.
const middle = (i, width, height) => (box === null ? 0.5 : (box[i] + box[i + 2]) / 2 / (i ? height : width));

function pan(dx, dy) {
  const [width, height] = pictureSize();
  const { width: shown, height: tall } = byId('stage').getBoundingClientRect();
  const scale = enlargement(width, shown);
  if (scale === 1) return false;
  centre = [0, 1].map((i) => Math.max(0.5 / scale, Math.min(1 - 0.5 / scale,
    (centre?.[i] ?? middle(i, width, height)) + (i ? dy / tall : dx / shown) / scale)));
  placeDivider();
  return true;
}

// Dragging on the picture moves the divider.
export function connectDivider() {
  const stage = byId('stage');
  const move = (event) => {
    if (byId('line').hidden || !(event.buttons & 1)) return;
    const { left, width } = stage.getBoundingClientRect();
    byId('divider').value = Math.max(0, Math.min(100, (100 * (event.clientX - left)) / width));
    placeDivider();
  };
  stage.addEventListener('pointerdown', (event) => { stage.setPointerCapture(event.pointerId); move(event); });
  stage.addEventListener('pointermove', move);
  stage.addEventListener('dragstart', (event) => event.preventDefault());
  stage.addEventListener('wheel', (event) => { if (pan(event.deltaX, event.deltaY)) event.preventDefault(); }, { passive: false });
  stage.addEventListener('keydown', (event) => {
    const [dx, dy] = { ArrowLeft: [-PAN, 0], ArrowRight: [PAN, 0], ArrowUp: [0, -PAN], ArrowDown: [0, PAN] }[event.key] ?? [0, 0];
    if ((dx || dy) && pan(dx, dy)) event.preventDefault();
  });
  addEventListener('resize', placeDivider);
  byId('divider').addEventListener('input', placeDivider);
  byId('zoom').addEventListener('change', () => { centre = null; placeDivider(); });
  byId('before').addEventListener('load', placeDivider);
}
