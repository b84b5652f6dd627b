// Requests to the service; errors are its sentences.

export async function get(path, values = {}) {
  return answer(() => fetch(`${path}?${new URLSearchParams(values)}`));
}

export async function post(path, body = {}, method = 'POST') {
  const headers = { 'content-type': 'application/json' };
  return answer(() => fetch(path, { method, headers, body: JSON.stringify(body) }));
}

export const put = (path, body) => post(path, body, 'PUT');

export async function sendFile(file) {
  return answer(() => fetch(`/api/dropped?${new URLSearchParams({ name: file.name })}`, { method: 'PUT', body: file }));
}

export async function removeFile(name) {
  return answer(() => fetch(`/api/dropped?${new URLSearchParams({ name })}`, { method: 'DELETE' }));
}

async function answer(ask) {
  let response;
  try {
    response = await ask();
  } catch {
    throw new Error('vidrestore web does not answer: start it again, and open the address that it prints');
  }
  const value = await response.json();
  if (!response.ok) throw new Error(value.error ?? `the service answered ${response.status}`);
  return value;
}

export function fileAddress(path) {
  return `/api/media?${new URLSearchParams({ path })}`;
}

export function frameAddress(path, at, side) {
  return `/api/frame?${new URLSearchParams({ path, at: at.toFixed(3), side })}`;
}

// The key frame before that time: quick in films of any length.
export function nearFrameAddress(path, at, side = 200) {
  return `${frameAddress(path, at, side)}&near=1`;
}
