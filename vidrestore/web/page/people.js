// People of the video: thumbnails, when they are there, and choosing them.
import { get, post } from './api.js';
import { byId, count, element, say } from './elements.js';

export async function findPeople(path, isCurrent) {
  const { id } = await post('/api/jobs', { kind: 'inspect', input: path, settings: {} });
  const events = new EventSource(`/api/jobs/${id}/events`);
  await new Promise((resolve) => {
    events.addEventListener('progress', (event) => {
      const { frames, total } = JSON.parse(event.data);
      if (isCurrent()) byId('people-state').textContent = `looking: frame ${frames}${total ? ` of ${total}` : ''}`;
    });
    events.addEventListener('state', (event) => {
      const { state, message } = JSON.parse(event.data);
      if (['done', 'failed', 'cancelled'].includes(state)) { events.close(); if (message) say(message); resolve(); }
    });
  });
  const { result } = await get(`/api/jobs/${id}`);
  await post(`/api/jobs/${id}/remove`);
  return result;
}

export function showPeople(found, onChoice) {
  byId('people-state').textContent = found.people.length
    ? `${count(found.people.length, 'person', 'people')} in ${count(found.scenes.length, 'scene')}; choose who is restored`
    : 'no faces were found';
  byId('people').replaceChildren(...found.people.map((person) => card(person, found, onChoice)));
}

function card(person, found, onChoice) {
  const tracks = found.tracks.filter((track) => person.tracks.includes(track.id));
  const largest = tracks.reduce((a, b) => (b.side[1] > a.side[1] ? b : a));
  const presence = element('div', { className: 'presence' });
  for (const track of tracks) {
    const bar = element('i');
    bar.style.left = `${(100 * track.first_frame) / found.frames}%`;
    bar.style.width = `${(100 * (track.last_frame - track.first_frame + 1)) / found.frames}%`;
    presence.append(bar);
  }
  const sure = person.distance === null ? '' : `, at most ${person.distance.toFixed(2)} apart`;
  const button = element('button', { type: 'button' },
    element('img', { src: found.thumbnails[largest.id], alt: `person p${person.id}` }),
    element('span', { textContent: `p${person.id}: ${count(person.frames, 'frame')}, ${count(tracks.length, 'track')}${sure}` }), presence);
  button.setAttribute('aria-pressed', 'true');
  button.dataset.person = `p${person.id}`;
  button.addEventListener('click', () => {
    button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
    onChoice(choice());
  });
  return element('li', {}, button);
}

// What --faces says for the people that are pressed.
function choice() {
  const buttons = [...byId('people').querySelectorAll('button')];
  const chosen = buttons.filter((each) => each.getAttribute('aria-pressed') === 'true');
  if (chosen.length === buttons.length) return 'all';
  return chosen.length ? chosen.map((each) => each.dataset.person).join(',') : 'none';
}
