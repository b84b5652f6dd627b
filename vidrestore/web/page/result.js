// The finished video under the divider, playing in step with the original; the sound is the result's.
// What the browser cannot play is compared frame by frame.
import { fileAddress, frameAddress } from './api.js';
import { byId, element } from './elements.js';
import { divide, placeDivider, showPictures, showTime, shownTime } from './viewer.js';

const JUMP_SECONDS = 0.2;
const STILL_SIDE = 1920;
let paths = null;
let isStill = false;
let onTime = () => {};

export function showResult(source, target) {
  paths = [source, target];
  isStill = false;
  for (const id of ['before', 'after']) byId(id).hidden = true;
  ['original', 'result'].forEach((id, at) => {
    byId(id).hidden = false;
    byId(id).src = fileAddress(paths[at]);
  });
  byId('play').hidden = byId('close-result').hidden = false;
  byId('viewer').classList.add('compared');
  divide(true);
  seek(shownTime());
}

export function hideResult() {
  paths = null;
  stopVideos();
  byId('close-result').hidden = true;
  byId('viewer').classList.remove('compared');
  byId('report').replaceChildren();
}

export const isShown = () => paths !== null;

// To a time, in both.
export function seek(seconds) {
  showTime(seconds);
  if (isStill) showStills();
  else for (const id of ['original', 'result']) byId(id).currentTime = seconds;
}

export function connectResult(onTimeChange) {
  onTime = onTimeChange;
  const [original, result] = [byId('original'), byId('result')];
  byId('play').addEventListener('click', () => { if (result.paused) result.play(); else result.pause(); });
  result.addEventListener('play', () => { original.currentTime = result.currentTime; original.play(); byId('play').textContent = 'Pause'; });
  result.addEventListener('pause', () => {
    original.pause();
    original.currentTime = result.currentTime;
    byId('play').textContent = 'Play';
  });
  result.addEventListener('timeupdate', () => {
    byId('scrub').value = result.currentTime;
    showTime(result.currentTime);
    onTime(result.currentTime);
  });
  result.addEventListener('loadedmetadata', placeDivider);
  for (const video of [original, result]) video.addEventListener('error', () => { if (video.hasAttribute('src')) useStills(); });
  const follow = () => {
    const drift = original.currentTime - result.currentTime;
    if (Math.abs(drift) > JUMP_SECONDS) original.currentTime = result.currentTime;
    else original.playbackRate = Math.max(0.8, Math.min(1.2, 1 - drift));
    result.requestVideoFrameCallback(follow);
  };
  result.requestVideoFrameCallback(follow);
}

// What was drawn of each track: where it is much, it is the generator's idea of a face.
export function showReport(report) {
  const rows = report.drawn ?? [];
  if (!rows.length) return byId('report').replaceChildren();
  const cell = (name, text) => element(name, { textContent: text });
  const percent = (share) => `${Math.round(100 * share)} %`;
  const table = element('table', {}, element('caption', { textContent: 'How much of each face was drawn' }),
    element('thead', {}, element('tr', {}, ...['track', 'frames', 'mean', 'most'].map((text) => cell('th', text)))),
    element('tbody', {}, ...rows.map((each) => element('tr', { className: each.mean > 0.5 ? 'much' : '' },
      cell('td', each.track), cell('td', each.frames), cell('td', percent(each.mean)), cell('td', percent(each.maximum))))));
  return byId('report').replaceChildren(table);
}

function stopVideos() {
  for (const id of ['original', 'result']) {
    byId(id).pause();
    byId(id).hidden = true;
    byId(id).removeAttribute('src');
  }
  byId('play').hidden = true;
}

function useStills() {
  if (isStill || paths === null) return;
  isStill = true;
  stopVideos();
  byId('preview-facts').textContent += ' This browser cannot play one of the two: they are compared frame by frame.';
  showStills();
}

function showStills() {
  const [before, after] = paths.map((path) => frameAddress(path, shownTime(), STILL_SIDE));
  showPictures({ before, after });
}
