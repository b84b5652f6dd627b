// The frame: before and after under one divider, and zoom.
import { post, thumbnailAddress } from './api.js';
import { byId, clock, count, element } from './elements.js';
import { hideResult } from './result.js';

const THUMBNAILS = 16;
const QUICK_SECONDS = 8;
let box = null;

export function openViewer(path, facts) {
  const duration = Math.max((facts.duration ?? 0) - 0.001, 0);
  byId('viewer').hidden = false;
  byId('scrub').max = duration || 1;
  byId('scrub').step = 1 / (facts.frame_rate || 25);
  byId('scrub').value = 0;
  const pictures = duration ? THUMBNAILS : 1;
  byId('strip').replaceChildren(...Array.from({ length: pictures }, (_, i) =>
    element('img', { alt: '', loading: 'lazy', src: thumbnailAddress(path, ((i + 0.5) * duration) / pictures) })));
  showTime(path);
}

export function showTime(path) {
  const at = Number(byId('scrub').value);
  byId('time').textContent = clock(at);
  byId('scrub').setAttribute('aria-valuetext', clock(at));
  box = null;
  for (const id of ['after', 'divider-label']) byId(id).hidden = true;
  hideResult();
  byId('preview-facts').textContent = '';
  byId('before').hidden = false;
  byId('before').src = thumbnailAddress(path, at);
  placeDivider();
}

export async function showPreview(path, settings) {
  const at = Number(byId('scrub').value);
  const start = byId('exact').checked ? 0 : Math.max(at - QUICK_SECONDS, 0);
  const asked = performance.now();
  const given = start > 0 ? { ...settings, start } : settings;
  const shown = await post('/api/preview', { path, at, settings: given });
  if (at !== Number(byId('scrub').value)) return;
  byId('before').src = shown.before;
  byId('after').src = shown.after;
  byId('after').hidden = byId('divider-label').hidden = false;
  box = shown.faces.length ? shown.faces[0].box : null;
  const from = start > 0 ? `, as in a run from ${clock(start)}` : ', as in a run from the beginning';
  byId('preview-facts').textContent = `Frame ${shown.index}: ${count(shown.faces.length, 'face')}, ` +
    `${Math.round(100 * shown.drawn)} % drawn${from}; ${((performance.now() - asked) / 1000).toFixed(1)} s`;
  placeDivider();
}

export function placeDivider() {
  const { value } = byId('divider');
  for (const id of ['after', 'result']) byId(id).style.clipPath = `inset(0 0 0 ${value}%)`;
  const image = byId('before');
  const zoomed = byId('zoom').checked && box !== null && image.naturalWidth > 0;
  const scale = zoomed ? Math.min(image.naturalWidth / (2 * (box[2] - box[0])), 6) : 1;
  const at = zoomed ? [(box[0] + box[2]) / 2 / image.naturalWidth, (box[1] + box[3]) / 2 / image.naturalHeight] : [0, 0];
  for (const id of ['before', 'after'])
    byId(id).style.transform = zoomed
      ? `translate(${50 - 100 * at[0] * scale}%, ${50 - 100 * at[1] * scale}%) scale(${scale})` : '';
}
