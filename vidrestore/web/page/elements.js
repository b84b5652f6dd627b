// Small pieces that every part of the page uses.

export const byId = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function say(sentence, isError = false) {
  byId('status').textContent = sentence;
  byId('status').classList.toggle('failed', isError);
}

export function clock(seconds) {
  const hundredths = Math.round(seconds * 100);
  const whole = Math.floor(hundredths / 6000);
  const rest = ((hundredths % 6000) / 100).toFixed(2).padStart(5, '0');
  return whole >= 60 ? `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}:${rest}` : `${whole}:${rest}`;
}

// Runs work, and says its error instead of losing it.
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    say(error.message, true);
    return undefined;
  }
}

export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

export const fileName = (path) => path.replace(/.*\//, '');

// Left and right move within a group of buttons, so that Tab passes it at once.
export function moveByArrows(group) {
  group.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const buttons = [...group.querySelectorAll('button')];
    const next = buttons[buttons.indexOf(document.activeElement) + (step ?? 0)];
    if (!step || !next) return;
    event.preventDefault();
    next.focus();
    next.click();
  });
}
