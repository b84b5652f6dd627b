// The settings as the service takes them.
import { byId } from './elements.js';

const SLIDERS = ['strength', 'fidelity', 'grain'];

export function currentSettings() {
  const values = { strength: Number(byId('strength').value), faces: byId('faces').value.trim() || 'all' };
  for (const name of ['fidelity', 'grain'])
    values[name] = byId(`${name}-auto`).checked ? 'auto' : Number(byId(name).value);
  return values;
}

export function watchSettings(onChange) {
  for (const name of SLIDERS) {
    const slider = byId(name);
    slider.addEventListener('input', () => { document.querySelector(`output[for=${name}]`).textContent = slider.value; });
    slider.addEventListener('change', onChange);
  }
  for (const name of ['fidelity', 'grain'])
    byId(`${name}-auto`).addEventListener('change', (event) => {
      byId(name).disabled = event.target.checked;
      onChange();
    });
  byId('faces').addEventListener('change', onChange);
}
