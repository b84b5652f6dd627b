// The settings form: of the whole video, or of a person, a scene, a person in a scene, which the sidecar holds.
import { byId, element } from './elements.js';
import * as sidecar from './sidecar.js';

export const NAMES = ['strength', 'fidelity', 'grain'];
const whole = { strength: 1, fidelity: 'auto', grain: 'auto' };
const SLIDER = { strength: 1, fidelity: 0.5, grain: 0.2 };
let scene = null;
let changed = () => {};

export function watchSettings(onChange) {
  changed = onChange;
  for (const name of NAMES) {
    byId(name).addEventListener('input', () => { output(name).textContent = byId(name).value; });
    byId(name).addEventListener('change', () => take(name));
    byId(`${name}-auto`)?.addEventListener('change', () => take(name));
    byId(`${name}-usual`).addEventListener('change', () => take(name));
  }
  byId('restore').addEventListener('change', (event) => set('restore', { '': null, true: true, false: false }[event.target.value]));
  for (const id of ['whom', 'where']) byId(id).addEventListener('change', showSettings);
  byId('sidecar').addEventListener('change', () => { showSettings(); changed(); });
  byId('faces').addEventListener('change', () => changed());
}

// What a job or a preview gets.
export function currentSettings() {
  const values = { ...whole, faces: sidecar.asTracks(byId('faces').value.trim() || 'all') };
  const said = byId('sidecar').checked ? sidecar.withEntries() : null;
  return said === null ? values : { ...values, sidecar: said };
}

// The people and scenes of another video, or none; `at`: the scene of the time that is shown, or null.
export function showScopes(at) {
  const whom = byId('whom').value;
  const people = sidecar.people();
  byId('whom').replaceChildren(...['', ...people].map((name) => element('option', { value: name, textContent: name || 'everybody' })));
  byId('whom').value = people.includes(whom) ? whom : '';
  showScene(at);
}

export function showScene(at) {
  scene = at;
  byId('whom').disabled = byId('where').disabled = !sidecar.isKnown();
  if (!sidecar.isKnown()) byId('where').value = '';
  byId('where').options[1].textContent = scene === null ? 'this scene' : `scene ${scene + 1}`;
  showSettings();
}

const scope = () => ({ person: byId('whom').value || null, scene: byId('where').value ? scene : null });
const isWhole = () => !byId('whom').value && !byId('where').value;
const output = (name) => document.querySelector(`output[for=${name}]`);

export function showSettings() {
  const own = isWhole() ? whole : sidecar.entry(scope());
  const effective = isWhole() ? whole : sidecar.effective(scope(), whole);
  for (const name of NAMES) {
    const value = effective[name];
    const usual = !isWhole() && own[name] === undefined;
    byId(`${name}-usual`).parentElement.hidden = isWhole();
    byId(`${name}-usual`).checked = usual;
    const auto = byId(`${name}-auto`);
    if (auto) { auto.checked = value === 'auto'; auto.disabled = usual; }
    byId(name).disabled = usual || value === 'auto';
    byId(name).value = value === 'auto' ? SLIDER[name] : value;
    output(name).textContent = value;
  }
  byId('fidelity').min = isWhole() ? 0 : 0.05;
  byId('restore-label').hidden = isWhole();
  byId('restore').value = own.restore === undefined ? '' : String(own.restore);
  byId('scope-state').textContent = sidecar.isKnown()
    ? (isWhole() ? '' : `${effective.restore === false ? 'left alone; ' : ''}kept in ${sidecar.name()}`)
    : byId('viewer').hidden ? '' : 'Find people and scenes to set them one by one.';
  byId('sidecar-label').hidden = sidecar.withEntries() === null;
  byId('sidecar-name').textContent = `use ${sidecar.name()}`;
}

function take(name) {
  const usual = byId(`${name}-usual`).checked;
  const auto = byId(`${name}-auto`)?.checked;
  set(name, !isWhole() && usual ? null : auto ? 'auto' : Number(byId(name).value));
}

async function set(name, value) {
  if (isWhole()) whole[name] = value;
  else await sidecar.change(scope(), name, value);
  showSettings();
  changed();
}
