// The finished video under the divider, playing in step with the original; the sound is the result's.
import { fileAddress } from './api.js';
import { byId, clock } from './elements.js';

const DRIFT_SECONDS = 0.06;

export function showResult(source, target) {
  for (const id of ['before', 'after']) byId(id).hidden = true;
  for (const [id, path] of [['original', source], ['result', target]]) {
    byId(id).hidden = false;
    byId(id).src = fileAddress(path);
  }
  byId('play').hidden = byId('divider-label').hidden = false;
}

export function hideResult() {
  for (const id of ['original', 'result']) {
    byId(id).pause();
    byId(id).hidden = true;
    byId(id).removeAttribute('src');
  }
  byId('play').hidden = true;
}

export const isShown = () => !byId('result').hidden;

// To a time, in both.
export function seek(seconds) {
  for (const id of ['original', 'result']) byId(id).currentTime = seconds;
}

export function connectResult() {
  const [original, result] = [byId('original'), byId('result')];
  byId('play').addEventListener('click', () => { if (result.paused) result.play(); else result.pause(); });
  result.addEventListener('play', () => { original.play(); byId('play').textContent = 'Pause'; });
  result.addEventListener('pause', () => { original.pause(); byId('play').textContent = 'Play'; });
  result.addEventListener('timeupdate', () => {
    if (Math.abs(original.currentTime - result.currentTime) > DRIFT_SECONDS) original.currentTime = result.currentTime;
    byId('scrub').value = result.currentTime;
    byId('time').textContent = clock(result.currentTime);
  });
}
